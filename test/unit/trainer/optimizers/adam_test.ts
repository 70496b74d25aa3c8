import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { chooseEngine } from "../../../../trainer/engines/mod.ts";
import { batchNorm } from "../../../../trainer/models/batch_norm.ts";
import { Adam, trainableVariables } from "../../../../trainer/optimizers/adam.ts";
import { assertClose, normal } from "../engines/gradients.ts";

/** Two variables, the same each time. */
function variables(): [tf.Variable, tf.Variable] {
  return [tf.variable(tf.tensor2d(normal(12, 1), [4, 3])), tf.variable(tf.tensor1d(normal(3, 2)))];
}

/** Least squares on fixed data. */
function lossOf([w, b]: tf.Variable[]): () => tf.Scalar {
  const x = tf.tensor2d(normal(40, 3), [10, 4]);
  const y = tf.tensor2d(normal(30, 4), [10, 3]);
  return () => tf.mean(tf.square(tf.sub(tf.add(tf.matMul(x, w as tf.Tensor as tf.Tensor2D), b), y))) as tf.Scalar;
}

const read = (tensors: tf.Variable[]) => Promise.all(tensors.map((tensor) => tensor.data<"float32">()));

for (const engine of ["wasm", "cpu"]) {
  Deno.test(`Adam on ${engine} equals tf.train.adam over six steps with a changing learning rate`, async () => {
    await chooseEngine(engine);
    const ours = variables();
    const theirs = variables();
    const adam = new Adam(ours, { learningRate: 0.02 });
    const reference = tf.train.adam(0.02);
    for (let step = 0; step < 6; step++) {
      const rate = step < 3 ? 0.02 : 0.007;
      adam.setLearningRate(rate);
      (reference as unknown as { learningRate: number }).learningRate = rate;
      const loss = adam.minimize(lossOf(ours));
      const expected = reference.minimize(lossOf(theirs), true, theirs)!;
      assertClose(await loss.data(), await expected.data(), 1e-5, `loss of step ${step}`);
    }
    const expected = await read(theirs);
    (await read(ours)).forEach((values, i) => assertClose(values, expected[i], 1e-5, `variable ${i}`));
  });

  // tf.train.adam keeps the powers of its decays in float32, which costs it 1e-5 of the step; hence also the paper itself.
  Deno.test(`Adam on ${engine} follows the equations of the paper in double precision`, async () => {
    await chooseEngine(engine);
    const variable = tf.variable(tf.tensor1d(normal(9, 1)));
    const adam = new Adam([variable], { learningRate: 0.02, beta1: 0.8, beta2: 0.99, epsilon: 1e-4 });
    const expected = Float64Array.from(normal(9, 1));
    const m = new Float64Array(9);
    const v = new Float64Array(9);
    for (let step = 1; step <= 6; step++) {
      const gradient = normal(9, 10 + step);
      adam.apply([tf.tensor1d(gradient)]);
      gradient.forEach((g, i) => {
        m[i] = 0.8 * m[i] + 0.2 * g;
        v[i] = 0.99 * v[i] + 0.01 * g * g;
        expected[i] -= 0.02 * (m[i] / (1 - 0.8 ** step)) / (Math.sqrt(v[i] / (1 - 0.99 ** step)) + 1e-4);
      });
    }
    assertClose(await variable.data(), expected, 1e-6, "variable");
  });

  Deno.test(`Adam on ${engine} goes on from a saved state with the same bits`, async () => {
    await chooseEngine(engine);
    const undisturbed = variables();
    const first = new Adam(undisturbed, { learningRate: 0.02 });
    for (let step = 0; step < 3; step++) first.minimize(lossOf(undisturbed));
    const saved = { state: await first.state(), values: await read(undisturbed) };
    for (let step = 0; step < 3; step++) first.minimize(lossOf(undisturbed));

    const resumed = variables();
    resumed.forEach((variable, i) => variable.assign(tf.tensor(saved.values[i], variable.shape)));
    const second = new Adam(resumed, { learningRate: 0.02 });
    second.restore(saved.state);
    for (let step = 0; step < 3; step++) second.minimize(lossOf(resumed));
    assert.deepEqual(await read(resumed), await read(undisturbed));
    assert.deepEqual(await second.state(), await first.state());
  });
}

Deno.test("Adam leaves a variable without a gradient as it is", async () => {
  await chooseEngine("wasm");
  const [w, b] = variables();
  const before = await read([b]);
  new Adam([w, b]).apply([tf.onesLike(w), null]);
  assert.deepEqual(await read([b]), before);
});

Deno.test("Adam refuses the state of other variables", async () => {
  await chooseEngine("wasm");
  const [w, b] = variables();
  const state = await new Adam([w, b]).state();
  assert.throws(() => new Adam([b, w]).restore(state), /other variables/);
  assert.throws(() => new Adam([w]).restore(state), /other variables/);
});

Deno.test("trainableVariables() gives a model's weights in order, without those of frozen layers", async () => {
  await chooseEngine("wasm");
  const frozen = tf.layers.dense({ units: 2, trainable: false });
  const model = tf.sequential({
    layers: [tf.layers.dense({ units: 3, inputShape: [4] }), frozen, tf.layers.dense({ units: 1 })],
  });
  assert.deepEqual(trainableVariables(model).map((v) => v.shape), [[4, 3], [3], [2, 1], [1]]);
});

Deno.test("fifty training steps on wasm hold no tensors back, and a second run gives the same bits", async () => {
  await chooseEngine("wasm");
  const run = () => {
    const model = tf.sequential({
      layers: [
        tf.layers.conv2d({ inputShape: [8, 8, 3], filters: 5, kernelSize: 3, strides: 2, padding: "same" }),
        batchNorm(),
        tf.layers.activation({ activation: "relu" }),
        tf.layers.globalAveragePooling2d({}),
        tf.layers.dense({ units: 4 }),
      ],
    });
    model.setWeights(model.weights.map(({ shape }, i) => {
      const size = (shape as number[]).reduce((product, length) => product * length, 1);
      return tf.tensor(normal(size, i).map((value) => Math.abs(value) + 0.1), shape as number[]);
    }));
    const x = tf.tensor4d(normal(4 * 8 * 8 * 3, 5), [4, 8, 8, 3]);
    const adam = new Adam(trainableVariables(model));
    const counts: number[] = [];
    for (let step = 0; step < 50; step++) {
      const loss = adam.minimize(() => tf.mean(tf.square(model.apply(x, { training: true }) as tf.Tensor)));
      loss.dispose();
      counts.push(tf.memory().numTensors);
    }
    assert.equal(counts[49], counts[1]);
    return read(trainableVariables(model));
  };
  assert.deepEqual(await run(), await run());
});
