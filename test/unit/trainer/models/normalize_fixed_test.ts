import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { chooseEngine } from "../../../../trainer/engines/mod.ts";
import { normalizeFixed } from "../../../../trainer/models/normalize_fixed.ts";
import { assertClose, normal } from "../engines/gradients.ts";

const CHANNELS = 5, EPSILON = 1e-3;

for (const engine of ["wasm", "cpu"]) {
  for (const shape of [[7, CHANNELS], [3, 4, CHANNELS], [2, 3, 4, CHANNELS]]) {
    Deno.test(`normalizeFixed() on ${engine} equals tf.batchNorm on ${shape.join("x")}: values and gradients`, async () => {
      await chooseEngine(engine);
      const size = shape.reduce((product, n) => product * n, 1);
      const x = tf.tensor(normal(size, 1), shape), weight = tf.tensor(normal(size, 2), shape);
      const vector = (seed: number) => tf.tensor1d(normal(CHANNELS, seed));
      const [gamma, beta, mean] = [vector(3), vector(4), vector(5)];
      const variance = tf.tensor1d(normal(CHANNELS, 6).map((v) => v * v));
      const outcome = async (compute: (x: tf.Tensor, gamma: tf.Tensor1D, beta: tf.Tensor1D) => tf.Tensor) => {
        const { value, grads } = tf.valueAndGrads((x, gamma, beta) =>
          tf.sum(tf.mul(weight, tf.sin(compute(x, gamma as tf.Tensor1D, beta as tf.Tensor1D))))
        )([x, gamma, beta]);
        return await Promise.all([value, ...grads].map((tensor) => tensor.data<"float32">()));
      };
      const expected = await outcome((x, gamma, beta) => tf.batchNorm(x, mean, variance, beta, gamma, EPSILON));
      const actual = await outcome((x, gamma, beta) =>
        normalizeFixed(x, { gamma, beta, mean, variance, epsilon: EPSILON })
      );
      expected.forEach((values, i) => assertClose(actual[i], values, 1e-4, ["value", "dx", "dgamma", "dbeta"][i]));
    });
  }
}

Deno.test("normalizeFixed() leaves nothing but its output", async () => {
  await chooseEngine("wasm");
  const x = tf.ones([2, 3]);
  const ones = tf.ones([3]) as tf.Tensor1D;
  const before = tf.memory().numTensors;
  normalizeFixed(x, { gamma: ones, beta: ones, mean: ones, variance: ones, epsilon: EPSILON }).dispose();
  assert.equal(tf.memory().numTensors, before);
});
