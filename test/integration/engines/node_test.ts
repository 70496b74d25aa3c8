import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { readCheckpoint } from "../../../trainer/checkpoint.ts";
import { resolveConfig } from "../../../trainer/config.ts";
import { type Engine, EngineMissing } from "../../../trainer/engines/engine.ts";
import { nodeEngine } from "../../../trainer/engines/tensorflow/mod.ts";
import { wasmEngine } from "../../../trainer/engines/wasm/mod.ts";
import { LOSSES } from "../../../trainer/losses/mod.ts";
import type { BackboneName } from "../../../trainer/models/backbones.ts";
import { createEmbedder } from "../../../trainer/models/embedder.ts";
import { wholeNetwork } from "../../../trainer/models/split.ts";
import { createOptimizer, trainableVariables } from "../../../trainer/optimizers/mod.ts";
import type { Reporter } from "../../../trainer/report/progress.ts";
import { train } from "../../../trainer/train.ts";
import { smallDataset } from "../../support/photos.ts";
import { normal } from "../../unit/trainer/engines/gradients.ts";

const LABELS = Int32Array.of(0, 0, 1, 1, 2, 2, 3, 3);
const SMALL = { input: { height: 32, width: 32, channels: 3 as const }, dimensions: 16, seed: 0 };

const missing = await nodeEngine.start().then(() => undefined, (error) => {
  if (error instanceof EngineMissing) return error.message;
  throw error;
});

/** A test that needs TensorFlow; where it is missing, its name says why, which is printed with --quiet too. */
function nodeTest(name: string, fn: () => Promise<void>): void {
  Deno.test({
    name: missing ? `node: ${name} (not tested: ${missing})` : `node: ${name}`,
    ignore: missing !== undefined,
    fn,
  });
}

nodeTest("start() says which TensorFlow computes, on what", async () => {
  assert.match(await nodeEngine.start(), /^TensorFlow \d+\.\d+\.\d+\S* on CPU, \d+ threads?$/);
  assert.equal(tf.getBackend(), "tensorflow");
});

nodeTest(
  "it starts in a process that has asked for a WebGPU adapter before, whose driver may bring an LLVM too",
  async () => {
    const program = `
    import { requestAdapter } from "${import.meta.resolve("../../../trainer/engines/webgpu/device.ts")}";
    import { nodeEngine } from "${import.meta.resolve("../../../trainer/engines/tensorflow/mod.ts")}";
    await requestAdapter();
    console.log(await nodeEngine.start());`;
    const { stdout, code } = await new Deno.Command(Deno.execPath(), { args: ["eval", program] }).output();
    assert.equal(code, 0);
    assert.match(new TextDecoder().decode(stdout), /^TensorFlow/);
  },
);

nodeTest("tensors are of the trainer's own tfjs, and can be read at once or awaited", async () => {
  await nodeEngine.start();
  const sum = tf.add(tf.tensor1d([1, 2]), 1);
  assert.equal(sum.constructor, tf.Tensor);
  assert.deepEqual([...sum.dataSync()], [2, 3]);
  assert.deepEqual([...await sum.data()], [2, 3]);
});

for (const backbone of ["thin-resnet", "efficientnet-lite0"] as BackboneName[]) {
  nodeTest(`the gradient of ${backbone} by all of its weights is the wasm engine's`, async () => {
    const expected = await networkGradient(wasmEngine, backbone);
    const actual = await networkGradient(nodeEngine, backbone);
    const difference = length(expected.map((value, i) => value - actual[i])) / length(expected);
    assert.ok(difference < 1e-4, `differs by ${difference} of its length`);
  });
}

nodeTest("the loss falls over 50 training steps, which leave no tensor behind", async () => {
  await nodeEngine.start();
  const model = createEmbedder({ ...SMALL, backbone: "thin-resnet" });
  const forward = wholeNetwork(model);
  const { loss } = LOSSES["triplet-semihard"]({ classes: 4, dimensions: SMALL.dimensions, seed: 0 });
  const settings = { optimizer: "adamw", weightDecay: 1e-4, momentum: 0, clipNorm: 1 } as const;
  const optimizer = createOptimizer(trainableVariables(model), settings);
  const losses: number[] = [], tensors: number[] = [];
  for (let step = 0; step < 50; step++) {
    const x = images();
    const result = optimizer.minimize(() => loss(LABELS, forward(x, true).embeddings));
    losses.push(result.loss.dataSync()[0]);
    tf.dispose([x, result.loss, result.gradientNorm]);
    tensors.push(tf.memory().numTensors);
  }
  assert.equal(tensors[49], tensors[1]);
  assert.ok(losses[49] < losses[0] / 4, `${losses[0]} to ${losses[49]}`);
  optimizer.dispose();
  model.dispose();
});

nodeTest("a run that was begun with wasm is gone on with, and its exported model is verified", async () => {
  const out = await Deno.makeTempDir({ prefix: "triptych-runs-" });
  const job = {
    ...{ data: await smallDataset(), out, gallery: undefined, maxUnreadable: 0 },
    config: resolveConfig({ preset: "scratch", set: ["imageSize=32", "epochs=4", "warmupSteps=2"] }),
  };
  const interrupt = new AbortController();
  const atFirstStep = reporterWith((label) => label === "Training" && interrupt.abort());
  const begun = train({ ...job, engine: "wasm", resume: false, reporter: atFirstStep, signal: interrupt.signal });
  await assert.rejects(begun, (error) => error === interrupt.signal.reason);
  const before = await readCheckpoint(out);
  assert.equal(before.engine, "wasm");

  const signal = new AbortController().signal;
  const result = await train({ ...job, engine: "node", resume: true, reporter: reporterWith(() => {}), signal });
  const after = await readCheckpoint(out);
  assert.equal(after.engine, "node");
  assert.ok(after.step > before.step, `${before.step} to ${after.step}`);
  assert.ok(result.card.quantization.meanCosine > 0.99);
});

/** Tells of progress; a bar's label comes before its first step. */
function reporterWith(onProgress: (label: string) => void): Reporter {
  return {
    ...{ info() {}, warn() {} },
    progress: (label) => ({ update: () => onProgress(label), done() {} }),
  };
}

function images(): tf.Tensor4D {
  return tf.tensor4d(normal(LABELS.length * 32 * 32 * 3, 7), [LABELS.length, 32, 32, 3]);
}

/** The gradient of a sum of the embeddings' products with fixed numbers, by all weights in order. */
async function networkGradient(engine: Engine, backbone: BackboneName): Promise<number[]> {
  await engine.start();
  const model = createEmbedder({ ...SMALL, backbone });
  const forward = wholeNetwork(model), x = images();
  const target = tf.tensor2d(normal(LABELS.length * SMALL.dimensions, 8), [LABELS.length, SMALL.dimensions]);
  const variables = trainableVariables(model);
  const compute = () => tf.sum(tf.mul(forward(x, true).embeddings, target)) as tf.Scalar;
  const { value, grads } = tf.variableGrads(compute, [...variables]);
  const gradients = await Promise.all(variables.map((variable) => grads[variable.name].data<"float32">()));
  tf.dispose([x, target, value]);
  tf.dispose(grads);
  model.dispose();
  return gradients.flatMap((values) => [...values]);
}

function length(vector: number[]): number {
  return Math.sqrt(vector.reduce((sum, value) => sum + value ** 2, 0));
}
