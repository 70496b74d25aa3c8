import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import type { ConvolutionStep } from "../../../../shared/int8/mod.ts";
import { simulate } from "../../../../trainer/export/int8/simulate.ts";
import { chooseEngine } from "../../../../trainer/engines/mod.ts";
import { roundedWeights } from "../../../../trainer/qat/rounded_weights.ts";

await chooseEngine("wasm");

/** A convolution of one weight, from codes of steps of 0.5 with the zero 10 to codes of steps of 2 with the zero 20. */
const step: ConvolutionStep = {
  layer: {
    ...{ op: "convolve", name: "y", input: "x", depthwise: false, strides: [1, 1], borders: [0, 0], addend: null },
    ...{ shape: { height: 1, width: 4, channels: 1 }, kernel: { shape: [1, 1, 1, 1], values: Int8Array.of(127) } },
    ...{ scale: Float64Array.of(1), bias: Float32Array.of(0), biasName: "b" },
    activation: { lowest: -Infinity, highest: Float64Array.of(Infinity), slopes: null },
  },
  ...{ padding: 10, multiplier: Float32Array.of(0), offset: Float32Array.of(0), addend: null },
  finish: { lowest: -Infinity, highest: null, slopes: null, grid: { scale: 2, zero: 20 } },
};
const plan = { steps: [step], input: "x", inputShape: { height: 1, width: 4, channels: 1 } };
/** The codes of -5, 0, 2.5 and 50. */
const x = tf.tensor4d([0, 10, 15, 110], [1, 1, 4, 1]);

function codesOf(kernel: tf.Tensor, bias: tf.Tensor): tf.Tensor {
  const weights = { convolution: () => () => roundedWeights({ kernel, bias }, step, { scale: 0.5, zero: 10 }), dense };
  return simulate(plan, weights).predict(x);
}

function dense(): never {
  throw new Error("there is no dense layer");
}

Deno.test("codes are those of the plan's arithmetic: rounded, ties to even, and clamped to 0 and 127", async () => {
  // 6 x + 1 is -29, 1, 16 and 301: in steps of 2 from 20 that is 5.5, 20.5, 28 and 170.5.
  const codes = await codesOf(tf.tensor4d([6], [1, 1, 1, 1]), tf.tensor1d([1])).data();
  assert.deepEqual([...codes].map((code) => Math.round(code)), [...codes]);
  assert.deepEqual([codes[2], codes[3]], [28, 127]);
  assert.ok(Math.abs(codes[0] - 5.5) === 0.5 && codes[1] === 20);
});

Deno.test("gradients go straight through the roundings of codes and weights, and are 0 where a code was clamped", () => {
  const dy = tf.tensor4d([1, 10, 100, 1000], [1, 1, 4, 1]);
  const [byKernel, byBias] = tf.grads((kernel, bias) => tf.sum(tf.mul(codesOf(kernel, bias), dy)))([
    tf.tensor4d([6], [1, 1, 1, 1]),
    tf.tensor1d([1]),
  ]);
  // The code of y = w x + b moves by 1 as y moves by 2; that of x = 50 is clamped.
  assert.ok(Math.abs(byBias.dataSync()[0] - (1 + 10 + 100) / 2) < 1e-4);
  assert.ok(Math.abs(byKernel.dataSync()[0] - (1 * -5 + 10 * 0 + 100 * 2.5) / 2) < 1e-3);
});

Deno.test("weights are rounded for each channel as in the export, and their gradient is as if they were not", async () => {
  const kernel = tf.tensor4d([1, -0.5, 0.25, 0.01, 20, 0], [1, 1, 2, 3]);
  const wide = { ...step, layer: { ...step.layer, shape: { height: 1, width: 4, channels: 3 } } };
  const round = (kernel: tf.Tensor) => roundedWeights({ kernel, bias: tf.zeros([3]) }, wide, { scale: 0.5, zero: 0 });
  const { filter, multiplier } = round(kernel);
  // Halves up: 0.25 is the largest of its channel.
  assert.deepEqual([...await filter.data()], [127, -3, 127, 1, 127, 0]);
  const scales = [1 / 127, 20 / 127, 0.25 / 127];
  (await multiplier.data()).forEach((value, i) => assert.ok(Math.abs(value - scales[i] * 0.5 / 2) < 1e-8));
  const gradient = tf.grad((kernel) => {
    const { filter, multiplier } = round(kernel);
    return tf.sum(tf.mul(filter, multiplier));
  })(kernel);
  (await gradient.data()).forEach((value) => assert.ok(Math.abs(value - 0.25) < 1e-6));
});
