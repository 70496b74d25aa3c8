/**
 * What the benchmark of training and the processes that it measures say to each other: see `BenchProcess`. `child.ts` speaks for the engines,
 * `torch_child.py` for PyTorch.
 *
 * @module
 */
import { z } from "zod";
import { BenchProcess, type CommandLine } from "../process.ts";
import { BENCH_BACKBONES } from "./networks.ts";

const Count = z.int().positive();

/** What a process is asked. */
export const Request = z.discriminatedUnion("do", [
  /** Make a network and a batch for it, in the place of those before; answered by `Prepared`. */
  z.object({ do: z.literal("prepare"), backbone: z.enum(BENCH_BACKBONES), pixels: Count, batch: Count }),
  /** Train so many steps on what is prepared; answered by `Timed`. */
  z.object({ do: z.literal("train"), steps: Count }),
  /** Multiply two float32 matrices, `[size, size]`, once to warm up and then so many times; answered by `Timed`. */
  z.object({ do: z.literal("multiply"), size: Count, times: Count }),
]);
export type Request = z.infer<typeof Request>;

/** What a process computes on, for a person, and whether that is a GPU. */
export const Hello = z.object({ device: z.string(), gpu: z.boolean() });
export type Hello = z.infer<typeof Hello>;

/**
 * Numbers that are trained; and multiplications and additions of a training step for each image, in convolutions and
 * the dense layer: forward, and for the gradients by weights and by inputs, of which the first convolution has none.
 */
export const Prepared = z.object({ parameters: Count, flops: Count });

/** How long it took. */
export const Timed = z.object({ seconds: z.number().positive() });

/** A process that trains. */
export type TrainingProcess = BenchProcess<Request, Hello>;

/** @param command starts it, when it is first asked for something */
export function trainingProcess(command: CommandLine): TrainingProcess {
  return new BenchProcess<Request, Hello>(command, Hello);
}
