import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { ModelError } from "../../../shared/errors.ts";
import type { Batch, Batches } from "../../../trainer/data/batches.ts";
import { chooseEngine } from "../../../trainer/engines/mod.ts";
import { type EpochSummary, fit, type FitOptions, hasTriplet, type StepRecord } from "../../../trainer/fit.ts";
import { LOSSES, tripletSemihard } from "../../../trainer/losses/mod.ts";
import { createEmbedder } from "../../../trainer/models/embedder.ts";
import { wholeNetwork } from "../../../trainer/models/split.ts";
import { createOptimizer, trainableVariables, variablesOf } from "../../../trainer/optimizers/mod.ts";
import { assertClose } from "./engines/gradients.ts";
import { randomStream } from "../../../trainer/random.ts";

await chooseEngine("wasm");
const SIZE = 16;

function batchesOf(of: (step: number) => Batch): Batches {
  return { at: (step) => Promise.resolve(of(step)), waitedMs: () => 0, close: () => {} };
}

function network(): tf.LayersModel {
  return createEmbedder({
    backbone: "thin-resnet",
    input: { height: SIZE, width: SIZE, channels: 3 },
    dimensions: 8,
    seed: 1,
  });
}

/** A run on random images whose colour tells their identity, and what it reported. */
function run(options: Partial<FitOptions> = {}) {
  const model = network();
  const steps: StepRecord[] = [], epochs: EpochSummary[] = [], skipped: number[] = [];
  const batchOf = (step: number): Batch => {
    const random = randomStream(step);
    const labels = Int32Array.of(0, 0, 1, 1, 2, 2);
    const values = Float32Array.from({ length: 6 * SIZE * SIZE * 3 }, (_, i) => {
      const identity = labels[Math.floor(i / (SIZE * SIZE * 3))];
      return (i % 3 === identity ? 1 : -1) + 0.5 * random();
    });
    return { values, shape: [6, SIZE, SIZE, 3], labels };
  };
  const whole = wholeNetwork(model);
  const done = fit({
    below: undefined,
    forward: (x) => whole(x, true),
    unitLength: true,
    loss: tripletSemihard({ margin: 0.5 }),
    lossVariables: [],
    optimizer: createOptimizer(trainableVariables(model), { optimizer: "adam", weightDecay: 0, momentum: 0 }),
    batches: batchesOf(batchOf),
    learningRate: () => 1e-3,
    startStep: 0,
    endStep: 10,
    stepsPerEpoch: 4,
    onStep: (record) => steps.push(record),
    teaches: hasTriplet,
    onSkip: (step) => skipped.push(step),
    onEpoch: (record) => Promise.resolve(epochs.push(record) > 0),
    signal: new AbortController().signal,
    ...options,
  });
  return { model, done, steps, epochs, skipped, batchOf };
}

Deno.test("fit() lowers the loss, and tells of every step and epoch", async () => {
  const { done, steps, epochs } = run();
  assert.equal(await done, 10);
  assert.deepEqual(steps.map(({ step }) => step), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.deepEqual(epochs.map(({ epoch, step }) => [epoch, step]), [[1, 4], [2, 8], [3, 10]]);
  assert(epochs[2].loss < epochs[0].loss, `${epochs[0].loss} to ${epochs[2].loss}`);
});

for (const [name, chunkSize] of [["two", 3], ["uneven", 4], ["single", 1]] as const) {
  Deno.test(`fit() in ${name} chunks takes the steps of whole batches, and holds no tensors back`, async () => {
    const outcome = async (chunkSize?: number) => {
      const model = network();
      const whole = wholeNetwork(model);
      const { loss, variables } = LOSSES.arcface({ classes: 3, dimensions: 8, seed: 1 });
      const optimizer = createOptimizer([...trainableVariables(model), ...variables], {
        optimizer: "sgd",
        momentum: 0.9,
        weightDecay: 0,
      });
      const tensors: number[] = [];
      const { done, steps } = run({
        forward: (x) => whole(x, false),
        ...{ loss, lossVariables: variables, optimizer, chunkSize, learningRate: () => 1e-3, endStep: 6 },
        onStep: (record) => (steps.push(record), tensors.push(tf.memory().numTensors)),
      });
      await done;
      assert.equal(tensors[5], tensors[1]);
      return {
        steps,
        weights: await Promise.all([...variablesOf(model), ...variables].map((v) => v.data<"float32">())),
      };
    };
    const plain = await outcome(), chunked = await outcome(chunkSize);
    assert(plain.weights.length === chunked.weights.length);
    plain.weights.forEach((values, i) => assertClose(chunked.weights[i], values, 1e-5, `weight ${i}`));
    plain.steps.forEach(({ loss, embeddingNorm, gradientNorm }, i) => {
      const other = chunked.steps[i];
      assertClose(
        [other.loss, other.embeddingNorm, other.gradientNorm],
        [loss, embeddingNorm, gradientNorm],
        1e-4,
        `step ${i}`,
      );
    });
  });
}

Deno.test("fit() skips a batch without a triplet: its weights stay as they are", async () => {
  const { batchOf } = run({ endStep: 0 });
  const lonely = (step: number) => ({ ...batchOf(step), labels: Int32Array.of(0, 1, 2, 3, 4, 5) });
  const uniform = (step: number) => ({ ...batchOf(step), labels: new Int32Array(6) });
  const { model, done, steps, epochs, skipped } = run({
    batches: batchesOf((step) => step % 2 ? lonely(step) : uniform(step)),
  });
  const before = await Promise.all(model.getWeights().map((weight) => weight.data()));
  await done;
  assert.deepEqual(await Promise.all(model.getWeights().map((weight) => weight.data())), before);
  assert.deepEqual(skipped, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual([steps, epochs], [[], []]);
});

Deno.test("fit() stops after the step under way when it is told to", async () => {
  const stop = new AbortController();
  const { done, steps } = run({ signal: stop.signal, onStep: (record) => record.step === 3 && stop.abort() });
  assert.equal(await done, 3);
  assert.equal(steps.length, 0);
});

Deno.test("fit() refuses to go on with a loss that is not finite", async () => {
  const { done } = run({ loss: (_labels, embeddings) => tf.mul(tf.sum(embeddings), NaN) as tf.Scalar });
  await assert.rejects(done, (error) => error instanceof ModelError && /loss is NaN at step 1/.test(error.message));
});
