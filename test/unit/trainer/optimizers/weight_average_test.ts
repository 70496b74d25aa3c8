import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { ModelError } from "../../../../shared/errors.ts";
import { chooseEngine } from "../../../../trainer/engines/mod.ts";
import { batchNorm } from "../../../../trainer/models/batch_norm.ts";
import { createOptimizer, trainableVariables, variablesOf, WeightAverage } from "../../../../trainer/optimizers/mod.ts";
import { assertClose, normal } from "../engines/gradients.ts";

const read = (tensors: tf.Tensor[]) => Promise.all(tensors.map((tensor) => tensor.data<"float32">()));

/** What the weights are at a step. */
const at = (step: number) => normal(6, 100 + step);

function follow(weight: tf.Variable, average: WeightAverage, from: number, until: number): void {
  for (let step = from; step < until; step++) {
    weight.assign(tf.tensor2d(at(step), [2, 3]));
    average.update();
  }
}

for (const engine of ["wasm", "cpu"]) {
  Deno.test(`WeightAverage on ${engine} follows TensorFlow's definition in double precision`, async () => {
    await chooseEngine(engine);
    const weight = tf.variable(tf.tensor2d(at(0), [2, 3]));
    const average = new WeightAverage([weight], 0.5);
    follow(weight, average, 1, 20);
    let expected = Array.from(at(0));
    for (let t = 1; t < 20; t++) {
      // The bound of 0.5 is met from the eighth update on.
      const kept = Math.min(0.5, (1 + t) / (10 + t));
      expected = expected.map((mean, i) => kept * mean + (1 - kept) * at(t)[i]);
    }
    const { updates, tensors } = await average.state();
    assert.equal(updates, 19);
    assertClose(tensors[0], expected, 1e-6, "average");
  });

  Deno.test(`WeightAverage on ${engine} swaps averages and weights, and back with the same bits`, async () => {
    await chooseEngine(engine);
    const weight = tf.variable(tf.tensor2d(at(0), [2, 3]));
    const average = new WeightAverage([weight], 0.9);
    follow(weight, average, 1, 5);
    const [live, averaged] = [await read([weight]), (await average.state()).tensors];
    const held = tf.memory().numTensors;
    average.swap();
    assert.deepEqual(await read([weight]), averaged);
    assert.notDeepEqual(averaged, live);
    average.swap();
    assert.deepEqual(await read([weight]), live);
    assert.deepEqual((await average.state()).tensors, averaged);
    assert.equal(tf.memory().numTensors, held);
  });

  Deno.test(`WeightAverage on ${engine} goes on from a saved state with the same bits`, async () => {
    await chooseEngine(engine);
    const weight = tf.variable(tf.tensor2d(at(0), [2, 3]));
    const first = new WeightAverage([weight], 0.99);
    follow(weight, first, 1, 4);
    const saved = await first.state();
    follow(weight, first, 4, 8);
    const second = new WeightAverage([weight], 0.99);
    second.restore(saved);
    follow(weight, second, 4, 8);
    assert.deepEqual(await second.state(), await first.state());
  });
}

Deno.test("WeightAverage makes a network the average, moving statistics included, and lets it train on as if nothing was", async () => {
  await chooseEngine("wasm");
  const run = async (validate: boolean) => {
    const model = tf.sequential({
      layers: [
        tf.layers.conv2d({ inputShape: [6, 6, 2], filters: 4, kernelSize: 3, useBias: false }),
        batchNorm({ momentum: 0.5 }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 3 }),
      ],
    });
    model.setWeights(model.weights.map(({ shape }, i) => {
      const size = (shape as number[]).reduce((product, length) => product * length, 1);
      return tf.tensor(normal(size, i).map((value) => Math.abs(value) + 0.1), shape as number[]);
    }));
    const x = tf.tensor4d(normal(4 * 6 * 6 * 2, 9), [4, 6, 6, 2]);
    const optimizer = createOptimizer(trainableVariables(model), { optimizer: "sgd", weightDecay: 0, momentum: 0.9 });
    optimizer.setLearningRate(1e-4);
    const average = new WeightAverage(variablesOf(model), 0.9);
    const outputs: tf.Tensor[] = [];
    for (let step = 0; step < 4; step++) {
      optimizer.minimize(() => tf.mean(tf.square(model.apply(x, { training: true }) as tf.Tensor)));
      average.update();
      if (!validate) continue;
      const { tensors } = await average.state();
      average.swap();
      assert.deepEqual(await read(variablesOf(model)), tensors);
      outputs.push(model.predict(x) as tf.Tensor);
      variablesOf(model).forEach((variable, i) => variable.assign(tf.tensor(tensors[i], variable.shape)));
      assert.deepEqual(await read([model.predict(x) as tf.Tensor]), await read(outputs.slice(-1)));
      average.swap();
      assert.notDeepEqual(await read([model.predict(x) as tf.Tensor]), await read(outputs.slice(-1)));
    }
    return read(model.getWeights());
  };
  assert.deepEqual(await run(true), await run(false));
});

Deno.test("WeightAverage holds no tensors back, and dispose() frees the averages alone", async () => {
  await chooseEngine("wasm");
  const weights = [tf.variable(tf.ones([3])), tf.variable(tf.ones([2, 2]))];
  const before = tf.memory();
  const average = new WeightAverage(weights, 0.9);
  const held = tf.memory().numTensors;
  for (let step = 0; step < 5; step++) average.update();
  average.restore(await average.state());
  assert.equal(tf.memory().numTensors, held);
  tf.tidy(() => average.swap());
  average.swap();
  average.dispose();
  assert.equal(tf.memory().numTensors, before.numTensors);
  assert.equal(tf.memory().numBytes, before.numBytes);
  assert.deepEqual([...await weights[0].data()], [1, 1, 1]);
});

Deno.test("WeightAverage is not changed, saved or restored while its averages are in the network", async () => {
  await chooseEngine("wasm");
  const average = new WeightAverage([tf.variable(tf.ones([3]))], 0.9);
  const state = await average.state();
  average.swap();
  assert.throws(() => average.update(), /swap\(\) back/);
  assert.throws(() => average.restore(state), /swap\(\) back/);
  await assert.rejects(average.state(), /swap\(\) back/);
});

Deno.test("WeightAverage refuses the state of other weights", async () => {
  await chooseEngine("wasm");
  const state = await new WeightAverage([tf.variable(tf.ones([3]))], 0.9).state();
  assert.throws(() => new WeightAverage([tf.variable(tf.ones([4]))], 0.9).restore(state), ModelError);
  assert.throws(() => new WeightAverage([], 0.9).restore(state), ModelError);
});
