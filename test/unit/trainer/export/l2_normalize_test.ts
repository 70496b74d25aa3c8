import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { L2Normalize } from "../../../../trainer/models/l2_normalize.ts";
import "./exported.ts";

const normalize = (x: tf.Tensor) => new L2Normalize({}).apply(x) as tf.Tensor;

Deno.test("L2Normalize gives rows of unit length in the same direction", async () => {
  const y = await normalize(tf.tensor2d([[3, 4], [-0.05, 0.12], [1e4, 0]])).array() as number[][];
  const wanted = [[0.6, 0.8], [-5 / 13, 12 / 13], [1, 0]];
  y.flat().forEach((value, i) => assert.ok(Math.abs(value - wanted.flat()[i]) < 1e-6));
});

Deno.test("L2Normalize maps a row of zeros to zeros, with a finite gradient", async () => {
  const x = tf.zeros([1, 4]);
  assert.deepEqual(await normalize(x).array(), [[0, 0, 0, 0]]);
  const gradient = await tf.grad((x) => tf.sum(normalize(x)))(x).data();
  assert.ok(gradient.every(Number.isFinite), `the gradient is ${gradient}`);
});

Deno.test("the gradient of L2Normalize is (dy - y (y . dy)) / |x|", async () => {
  const x = tf.tensor2d([[3, 4]]);
  const dy = tf.tensor2d([[1, -2]]);
  const gradient = await tf.grad((x) => normalize(x))(x, dy).data();
  // y = (0.6, 0.8), y . dy = -1
  [(1 + 0.6) / 5, (-2 + 0.8) / 5].forEach((wanted, i) => assert.ok(Math.abs(gradient[i] - wanted) < 1e-6));
});

Deno.test("a model with L2Normalize is saved and loaded by its class name", async () => {
  const input = tf.input({ shape: [3] });
  const model = tf.model({ inputs: input, outputs: new L2Normalize({}).apply(input) as tf.SymbolicTensor });
  const loaded = await tf.models.modelFromJSON(model.toJSON(undefined, false) as unknown as tf.io.ModelJSON);
  assert.deepEqual(await (loaded.predict(tf.tensor2d([[0, 0, 2]])) as tf.Tensor).array(), [[0, 0, 1]]);
});
