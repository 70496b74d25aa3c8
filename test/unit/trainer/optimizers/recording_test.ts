import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { chooseEngine } from "../../../../trainer/engines/mod.ts";
import { batchNorm } from "../../../../trainer/models/batch_norm.ts";
import { record, trainableVariables, variablesOf } from "../../../../trainer/optimizers/mod.ts";

await chooseEngine("wasm");

function network(): tf.LayersModel {
  return tf.sequential({
    layers: [
      tf.layers.conv2d({ inputShape: [8, 8, 2], filters: 3, kernelSize: 3, kernelInitializer: "ones" }),
      batchNorm(),
      tf.layers.activation({ activation: "sigmoid" }),
      tf.layers.globalAveragePooling2d({}),
    ],
  });
}

const images = tf.tidy(() => tf.keep(tf.sin(tf.range(0, 4 * 8 * 8 * 2).reshape([4, 8, 8, 2]))));

Deno.test("record() gives, a task later, the gradients that tf.variableGrads gives at once, to the bit", async () => {
  const model = network();
  const variables = trainableVariables(model);
  const forward = () => model.apply(images, { training: true }) as tf.Tensor2D;
  const expected = tf.variableGrads(() => tf.sum(tf.square(forward())), variables).grads;
  const recording = record(forward);
  await new Promise((resolve) => setTimeout(resolve));
  const dy = tf.mul(recording.output, 2);
  const actual = recording.gradients(dy, variables);
  assert.deepEqual(Object.keys(actual).sort(), Object.keys(expected).sort());
  for (const { name } of variables) assert.deepEqual(await actual[name].data(), await expected[name].data(), name);
});

Deno.test("record() computes once: moving statistics follow one batch, not two", async () => {
  const recorded = network(), applied = network();
  const recording = record(() => recorded.apply(images, { training: true }) as tf.Tensor2D);
  recording.gradients(recording.output, trainableVariables(recorded));
  applied.apply(images, { training: true });
  const values = (model: tf.LayersModel) => Promise.all(variablesOf(model).map((variable) => variable.data()));
  assert.deepEqual(await values(recorded), await values(applied));
});

Deno.test("record() gives no gradient by a variable that it did not use", () => {
  const used = tf.variable(tf.scalar(2)), other = tf.variable(tf.scalar(3));
  const recording = record(() => tf.square(used));
  assert.deepEqual(Object.keys(recording.gradients(tf.scalar(1), [used, other])), [used.name]);
});

Deno.test("record() lets other gradients be taken in between, and holds nothing back", () => {
  const weight = tf.variable(tf.scalar(3));
  const held = tf.memory().numTensors;
  const recording = record(() => tf.exp(tf.mul(weight, 2)));
  const between = tf.grad((x) => tf.square(x))(tf.scalar(5));
  const dy = tf.scalar(1);
  const gradients = recording.gradients(dy, [weight]);
  assert.equal(between.dataSync()[0], 10);
  assert.ok(Math.abs(gradients[weight.name].dataSync()[0] / (2 * Math.exp(6)) - 1) < 1e-5);
  tf.dispose([recording.output, between, dy, gradients]);
  // The argument of the gradient in between.
  assert.equal(tf.memory().numTensors, held + 1);
});
