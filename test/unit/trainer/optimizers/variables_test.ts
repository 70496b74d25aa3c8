import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { chooseEngine } from "../../../../trainer/engines/mod.ts";
import { batchNorm } from "../../../../trainer/models/batch_norm.ts";
import { trainableVariables, variablesOf } from "../../../../trainer/optimizers/mod.ts";

await chooseEngine("wasm");

Deno.test("trainableVariables() gives a model's weights in order, without those of frozen layers", () => {
  const frozen = tf.layers.dense({ units: 2, trainable: false });
  const model = tf.sequential({
    layers: [tf.layers.dense({ units: 3, inputShape: [4] }), frozen, tf.layers.dense({ units: 1 })],
  });
  assert.deepEqual(trainableVariables(model).map((v) => v.shape), [[4, 3], [3], [2, 1], [1]]);
});

Deno.test("variablesOf() gives all weights and moving statistics of a model, in one order whatever is frozen", async () => {
  const model = tf.sequential({
    layers: [tf.layers.dense({ units: 3, inputShape: [4] }), batchNorm(), tf.layers.dense({ units: 1 })],
  });
  const read = () => Promise.all(variablesOf(model).map((variable) => variable.data()));
  const before = await read();
  assert.deepEqual(variablesOf(model).map((v) => v.shape), [[4, 3], [3], [3], [3], [3], [3], [3, 1], [1]]);
  assert.equal(before.length, trainableVariables(model).length + 2);
  model.layers[0].trainable = false;
  model.layers[1].trainable = false;
  assert.deepEqual(await read(), before);
});
