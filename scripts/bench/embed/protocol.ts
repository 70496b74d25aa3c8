/**
 * What the benchmark of embedding and the processes that it measures say to each other: see `BenchProcess`. `child.ts` speaks for all of them.
 *
 * @module
 */
import { z } from "zod";

/** What a process is asked: to embed the same image so many times; or how fast its kernels are at their best. */
export const Request = z.discriminatedUnion("do", [
  z.object({ do: z.literal("embed"), times: z.int().positive() }),
  z.object({ do: z.literal("peak") }),
]);
export type Request = z.infer<typeof Request>;

/** The first embedding, and the memory that the process holds then, bytes. */
export const Hello = z.object({ embedding: z.array(z.number()), resident: z.number() });
export type Hello = z.infer<typeof Hello>;

/** How long each embedding took. */
export const Embedded = z.object({ milliseconds: z.array(z.number().positive()) });

/** The most that was reached in each arithmetic, 10^9 operations per second. */
export const Peak = z.object({ float32: z.number().positive(), int8: z.number().positive() });
export type Peak = z.infer<typeof Peak>;
