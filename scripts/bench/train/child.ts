/**
 * Trains on one of the trainer's engines what the benchmark asks for: see `protocol.ts`.
 *
 *     child.ts ENGINE [THREADS]
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { z } from "zod";
import { messageOf, UsageError } from "../../../shared/errors.ts";
import { batchGradient } from "../../../trainer/batch_gradient.ts";
import { type Engine, ENGINES } from "../../../trainer/engines/mod.ts";
import { createWasmEngine } from "../../../trainer/engines/wasm/mod.ts";
import { webgpuEngine } from "../../../trainer/engines/webgpu/mod.ts";
import { LOSSES } from "../../../trainer/losses/mod.ts";
import { stepBytes } from "../../../trainer/memory.ts";
import { createEmbedder } from "../../../trainer/models/embedder.ts";
import { wholeNetwork } from "../../../trainer/models/split.ts";
import { createOptimizer, trainableVariables } from "../../../trainer/optimizers/mod.ts";
import { linesOf } from "../lines.ts";
import { type Hello, type Prepared, Request, type Timed } from "./protocol.ts";

type Prepare = Extract<Request, { do: "prepare" }>;
type Multiply = Extract<Request, { do: "multiply" }>;

/** A network with a batch. */
interface Training {
  step(): Promise<void>;
  dispose(): void;
}

const DIMENSIONS = 128;

async function main([name, threads]: string[]): Promise<void> {
  const engine = name === "wasm" ? createWasmEngine(Number(threads)) : ENGINES[name];
  reply(await start(engine));
  let training: Training | undefined;
  for await (const line of linesOf(Deno.stdin.readable)) {
    const request = Request.parse(JSON.parse(line));
    if (request.do === "prepare") {
      training?.dispose();
      const model = modelThatFits(request, engine);
      training = trainingOf(model, request);
      reply(describe(model));
    } else if (request.do === "train") {
      reply(await timed(request.steps, training!.step));
    } else {
      reply(await multiply(request));
    }
  }
}

async function start(engine: Engine): Promise<Hello> {
  const device = await engine.start();
  const gpu = engine.name === "cuda" || engine === webgpuEngine && await webgpuEngine.isHardware();
  // The threads are the table's: TensorFlow takes as many as the environment says, of which its engine does not know.
  return { device: device.replace(/, \d+ threads?$/, ""), gpu };
}

/** @throws {UsageError} if a step takes more memory than the engine can hold */
function modelThatFits({ backbone, pixels, batch }: Prepare, { name, memory }: Engine): tf.LayersModel {
  const input = { height: pixels, width: pixels, channels: 3 as const };
  const model = createEmbedder({ backbone, input, dimensions: DIMENSIONS, seed: 1 });
  const bytes = stepBytes(model, undefined, batch);
  if (memory === undefined || bytes <= memory) return model;
  const [needed, held] = [bytes, memory].map((bytes) => `${(bytes / 1e9).toFixed(1)} GB`);
  const most = Math.floor(batch * memory / bytes);
  throw new UsageError(
    `A step takes about ${needed} of memory, and ${name} holds ${held}: a batch of ${most} would fit.`,
  );
}

function describe(model: tf.LayersModel): z.infer<typeof Prepared> {
  const kernels = model.layers.flatMap((layer) => {
    const kernel = layer.weights.find(({ shape }) => shape.length > 1);
    if (kernel === undefined) return [];
    const positions = (layer.output as tf.SymbolicTensor).shape.slice(1, -1);
    return [product([...kernel.shape, ...positions])];
  });
  const products = 3 * kernels.reduce((sum, products) => sum + products) - kernels[0];
  const sizes = trainableVariables(model).map(({ size }) => size);
  return { parameters: sizes.reduce((sum, size) => sum + size), flops: 2 * products };
}

function product(lengths: (number | null)[]): number {
  return lengths.reduce<number>((product, length) => product * length!, 1);
}

function trainingOf(model: tf.LayersModel, { pixels, batch }: Prepare): Training {
  const whole = wholeNetwork(model);
  const optimizer = createOptimizer(trainableVariables(model), { optimizer: "adam", weightDecay: 0, momentum: 0 });
  optimizer.setLearningRate(1e-4);
  const { loss } = LOSSES["triplet-semihard"]({ classes: batch, dimensions: DIMENSIONS, seed: 1 });
  const labels = Int32Array.from({ length: batch }, (_, i) => i >> 2);
  const x = tf.randomNormal([batch, pixels, pixels, 3]);
  const options = { forward: (x: tf.Tensor) => whole(x, true), unitLength: true, loss, lossVariables: [] };
  return {
    async step() {
      const judged = await batchGradient(x, labels, optimizer.variables, options);
      const norm = optimizer.descend(judged.gradients);
      await norm.data();
      tf.dispose([judged.value, judged.embeddingNorm, norm]);
    },
    dispose() {
      optimizer.dispose();
      model.dispose();
      x.dispose();
    },
  };
}

async function multiply({ size, times }: Multiply): Promise<z.infer<typeof Timed>> {
  const a = tf.randomNormal([size, size]), b = tf.randomNormal([size, size]);
  const productOf = async () => {
    // One number alone is read: it waits for the product, and costs nothing.
    const corner = tf.tidy(() => tf.slice(tf.matMul(a, b), [0, 0], [1, 1]));
    await corner.data();
    corner.dispose();
  };
  await productOf();
  const answer = await timed(times, productOf);
  tf.dispose([a, b]);
  return answer;
}

async function timed(times: number, work: () => Promise<void>): Promise<z.infer<typeof Timed>> {
  const started = performance.now();
  for (let i = 0; i < times; i++) await work();
  return { seconds: (performance.now() - started) / 1000 };
}

function reply(message: object): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(message)}\n`));
}

main(Deno.args).catch((error) => reply({ error: messageOf(error) })).finally(() => Deno.exit());
