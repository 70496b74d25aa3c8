import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { chooseEngine } from "../../../../trainer/engines/mod.ts";
import { relu, relu6 } from "../../../../trainer/models/relu.ts";

const X = [-1, 0, 1e-6, 3, 5.999, 6, 7];

for (const engine of ["wasm", "cpu"]) {
  Deno.test(`relu6() on ${engine} has the values of tf's layer, and its gradient between the bends`, async () => {
    await chooseEngine(engine);
    const x = tf.tensor2d([X]);
    const y = relu6().apply(x) as tf.Tensor;
    assert.deepEqual(await y.data(), await (tf.layers.reLU({ maxValue: 6 }).apply(x) as tf.Tensor).data());
    const dx = tf.grad((x) => tf.sum(tf.mul(2, relu6().apply(x) as tf.Tensor)))(x);
    assert.deepEqual([...await dx.data()], [0, 0, 2, 2, 2, 0, 0]);
  });
}

for (const engine of ["wasm", "cpu"]) {
  Deno.test(`relu() on ${engine} has the values and the gradient of tf's layer`, async () => {
    await chooseEngine(engine);
    const x = tf.tensor2d([X]), stock = tf.layers.reLU();
    const y = relu().apply(x) as tf.Tensor;
    assert.deepEqual(await y.data(), await (stock.apply(x) as tf.Tensor).data());
    const slopes = [relu(), stock].map((layer) => tf.grad((x) => tf.sum(tf.mul(2, layer.apply(x) as tf.Tensor)))(x));
    assert.deepEqual(await slopes[0].data(), await slopes[1].data());
  });
}

Deno.test("relu() saves as tf's ReLU", () => {
  assert.deepEqual(relu({ name: "a" }).getConfig(), tf.layers.reLU({ name: "a" }).getConfig());
});

Deno.test("relu6() saves as tf's ReLU with a maximum of 6", () => {
  const layer = relu6({ name: "a" });
  assert.equal(layer.getClassName(), "ReLU");
  assert.equal(layer.getConfig().maxValue, 6);
});

Deno.test("relu6() leaves no tensors behind", async () => {
  await chooseEngine("wasm");
  const layer = relu6(), x = tf.tensor2d([X]);
  layer.apply(x);
  const before = tf.memory().numTensors;
  (layer.apply(x) as tf.Tensor).dispose();
  tf.grad((x) => tf.sum(layer.apply(x) as tf.Tensor))(x).dispose();
  assert.equal(tf.memory().numTensors, before);
});
