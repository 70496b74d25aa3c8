import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { ModelError } from "../../../../shared/errors.ts";
import { traceModel } from "../../../../trainer/export/trace.ts";
import { L2Normalize } from "../../../../trainer/models/l2_normalize.ts";
import { ZeroChannels } from "../../../../trainer/models/zero_channels.ts";
import { assertComputesTheSame, noise, operationsOf, randomizeWeights } from "./exported.ts";

type Symbolic = tf.SymbolicTensor;

const { layers } = tf;

/** A model of a few layers in a row. */
function stack(shape: number[], ...parts: tf.layers.Layer[]): tf.LayersModel {
  const input = tf.input({ shape });
  const output = parts.reduce((x, layer) => layer.apply(x) as Symbolic, input);
  return randomizeWeights(tf.model({ inputs: input, outputs: output }));
}

const conv = (args: Partial<Parameters<typeof layers.conv2d>[0]> = {}) =>
  layers.conv2d({ filters: 6, kernelSize: 3, ...args });
const depthwise = (args: Partial<Parameters<typeof layers.depthwiseConv2d>[0]> = {}) =>
  layers.depthwiseConv2d({ kernelSize: 3, ...args });

const CASES: Record<string, [shape: number[], layers: () => tf.layers.Layer[], operations: string[]]> = {
  "Conv2D": [[9, 8, 3], () => [conv()], ["_FusedConv2D"]],
  "Conv2D without bias": [[9, 8, 3], () => [conv({ useBias: false })], ["Conv2D"]],
  "Conv2D, same, stride 2": [[9, 8, 3], () => [conv({ padding: "same", strides: 2 })], ["_FusedConv2D"]],
  "Conv2D, strides 2 and 1, kernel 5 x 3": [
    [9, 8, 3],
    () => [conv({ kernelSize: [5, 3], strides: [2, 1] })],
    ["_FusedConv2D"],
  ],
  "Conv2D, dilated": [[9, 8, 3], () => [conv({ dilationRate: 2, padding: "same" })], ["_FusedConv2D"]],
  "Conv2D with relu": [[9, 8, 3], () => [conv({ activation: "relu" })], ["_FusedConv2D"]],
  "Conv2D with relu, without bias": [[9, 8, 3], () => [conv({ activation: "relu", useBias: false })], ["_FusedConv2D"]],
  "Conv2D with tanh": [[9, 8, 3], () => [conv({ activation: "tanh" })], ["_FusedConv2D", "Tanh"]],
  "DepthwiseConv2D, stride 2": [
    [9, 8, 3],
    () => [depthwise({ strides: 2, padding: "same" })],
    ["FusedDepthwiseConv2dNative"],
  ],
  "DepthwiseConv2D, multiplier 2, without bias": [
    [9, 8, 3],
    () => [depthwise({ depthMultiplier: 2, useBias: false })],
    ["DepthwiseConv2dNative"],
  ],
  "SeparableConv2D": [
    [9, 8, 3],
    () => [
      layers.separableConv2d({ filters: 5, kernelSize: 3, padding: "same", depthMultiplier: 2, activation: "relu" }),
    ],
    ["DepthwiseConv2dNative", "_FusedConv2D"],
  ],
  "BatchNormalization alone": [[9, 8, 3], () => [layers.batchNormalization({})], ["Mul", "AddV2"]],
  "BatchNormalization without scale and centre": [
    [9, 8, 3],
    () => [layers.batchNormalization({ scale: false, center: false })],
    ["Mul", "AddV2"],
  ],
  "two BatchNormalizations in a row": [
    [9, 8, 3],
    () => [layers.batchNormalization({}), layers.batchNormalization({ epsilon: 1e-5 })],
    ["Mul", "AddV2"],
  ],
  "Conv2D, BatchNormalization, ReLU": [
    [9, 8, 3],
    () => [conv({ useBias: false }), layers.batchNormalization({}), layers.reLU()],
    ["_FusedConv2D"],
  ],
  "Conv2D with bias, BatchNormalization": [[9, 8, 3], () => [conv(), layers.batchNormalization({})], ["_FusedConv2D"]],
  "DepthwiseConv2D with multiplier, BatchNormalization, relu6": [
    [9, 8, 3],
    () => [depthwise({ depthMultiplier: 2 }), layers.batchNormalization({}), layers.reLU({ maxValue: 6 })],
    ["FusedDepthwiseConv2dNative"],
  ],
  "Conv2D with relu, then BatchNormalization": [
    [9, 8, 3],
    () => [conv({ activation: "relu" }), layers.batchNormalization({})],
    ["_FusedConv2D", "Mul", "AddV2"],
  ],
  "Activation": [[4, 4, 3], () => [layers.activation({ activation: "sigmoid" })], ["Sigmoid"]],
  "Activation swish": [[4, 4, 3], () => [layers.activation({ activation: "swish" })], ["Sigmoid", "Mul"]],
  "Activation selu": [[4, 4, 3], () => [layers.activation({ activation: "selu" })], ["Selu"]],
  "Activation linear between others": [
    [4, 4, 3],
    () => [layers.reLU(), layers.activation({ activation: "linear" })],
    ["Relu"],
  ],
  "ReLU": [[4, 4, 3], () => [layers.reLU()], ["Relu"]],
  "ReLU up to 6": [[4, 4, 3], () => [layers.reLU({ maxValue: 6 })], ["Relu6"]],
  "ELU behind a Conv2D": [[9, 8, 3], () => [conv(), layers.elu()], ["_FusedConv2D"]],
  "sigmoid in a Conv2D": [[9, 8, 3], () => [conv({ activation: "sigmoid" })], ["_FusedConv2D"]],
  "LeakyReLU": [[4, 4, 3], () => [layers.leakyReLU({ alpha: 0.2 })], ["LeakyRelu"]],
  "LeakyReLU behind a Conv2D": [[9, 8, 3], () => [conv(), layers.leakyReLU({ alpha: 0.15 })], ["_FusedConv2D"]],
  "LeakyReLU behind a DepthwiseConv2D": [
    [9, 8, 3],
    () => [depthwise(), layers.leakyReLU({ alpha: 0.15 })],
    ["FusedDepthwiseConv2dNative", "LeakyRelu"],
  ],
  "PReLU with a slope a channel": [[4, 4, 3], () => [layers.prelu({ sharedAxes: [1, 2] })], ["Prelu"]],
  "PReLU with a slope a value": [[4, 5, 3], () => [layers.prelu()], ["Prelu"]],
  "PReLU behind a Conv2D": [[9, 8, 3], () => [conv(), layers.prelu({ sharedAxes: [1, 2] })], ["_FusedConv2D"]],
  "PReLU with a slope a value behind a Conv2D": [[9, 8, 3], () => [conv(), layers.prelu()], ["_FusedConv2D", "Prelu"]],
  "PReLU behind a DepthwiseConv2D": [
    [9, 8, 3],
    () => [depthwise(), layers.prelu({ sharedAxes: [1, 2] })],
    ["FusedDepthwiseConv2dNative"],
  ],
  "PReLU behind a Dense": [[7], () => [layers.dense({ units: 5 }), layers.prelu()], ["_FusedMatMul"]],
  "MaxPooling2D, same": [
    [9, 8, 3],
    () => [layers.maxPooling2d({ poolSize: 3, strides: 2, padding: "same" })],
    ["MaxPool"],
  ],
  "MaxPooling2D, valid": [[9, 8, 3], () => [layers.maxPooling2d({ poolSize: [2, 3] })], ["MaxPool"]],
  "AveragePooling2D, same": [
    [9, 8, 3],
    () => [layers.averagePooling2d({ poolSize: 3, strides: 2, padding: "same" })],
    ["AvgPool"],
  ],
  "GlobalAveragePooling2D": [[9, 8, 3], () => [layers.globalAveragePooling2d({})], ["Mean"]],
  "GlobalMaxPooling2D": [[9, 8, 3], () => [layers.globalMaxPooling2d({})], ["Max"]],
  "ZeroPadding2D": [[5, 4, 3], () => [layers.zeroPadding2d({ padding: [[1, 2], [0, 3]] })], ["PadV2"]],
  "ZeroPadding2D before a Conv2D": [
    [9, 8, 3],
    () => [layers.zeroPadding2d({ padding: [[1, 2], [0, 3]] }), conv({ strides: 2 })],
    ["_FusedConv2D"],
  ],
  "ZeroPadding2D before a Conv2D without bias": [
    [9, 8, 3],
    () => [layers.zeroPadding2d({ padding: 3 }), conv({ strides: 2, kernelSize: 7, useBias: false })],
    ["Conv2D"],
  ],
  "ZeroPadding2D before a DepthwiseConv2D": [
    [9, 8, 3],
    () => [layers.zeroPadding2d({ padding: [[0, 1], [0, 1]] }), depthwise({ strides: 2 })],
    ["FusedDepthwiseConv2dNative"],
  ],
  "ZeroPadding2D before a Conv2D that pads": [
    [9, 8, 3],
    () => [layers.zeroPadding2d({ padding: 1 }), conv({ padding: "same" })],
    ["PadV2", "_FusedConv2D"],
  ],
  "ZeroPadding2D before a MaxPooling2D": [
    [9, 8, 3],
    () => [layers.zeroPadding2d({ padding: 1 }), layers.maxPooling2d({ poolSize: 3, strides: 2 })],
    ["PadV2", "MaxPool"],
  ],
  "ZeroChannels": [[5, 4, 3], () => [new ZeroChannels({ count: 2 })], ["PadV2"]],
  "ZeroChannels before a Conv2D": [
    [9, 8, 3],
    () => [new ZeroChannels({ count: 2 }), conv({ strides: 2 })],
    ["PadV2", "_FusedConv2D"],
  ],
  "Dense": [[7], () => [layers.dense({ units: 5 })], ["_FusedMatMul"]],
  "Dense without bias": [[7], () => [layers.dense({ units: 5, useBias: false })], ["MatMul"]],
  "Dense with relu": [[7], () => [layers.dense({ units: 5, activation: "relu" })], ["_FusedMatMul"]],
  "Dense, BatchNormalization, ReLU": [
    [7],
    () => [layers.dense({ units: 5, useBias: false }), layers.batchNormalization({}), layers.reLU()],
    ["_FusedMatMul"],
  ],
  "Flatten and Dense": [
    [4, 3, 2],
    () => [layers.flatten(), layers.dense({ units: 5 })],
    ["Reshape", "_FusedMatMul"],
  ],
  "Reshape with a size left open": [[4, 3, 2], () => [layers.reshape({ targetShape: [-1, 6] })], ["Reshape"]],
  "Dropout and GaussianNoise": [
    [7],
    () => [layers.dropout({ rate: 0.5 }), layers.gaussianNoise({ stddev: 3 }), layers.dense({ units: 5 })],
    ["_FusedMatMul"],
  ],
  "L2Normalize": [[7], () => [new L2Normalize({})], ["Square", "Sum", "Maximum", "Rsqrt", "Mul"]],
};

for (const [name, [shape, parts, operations]] of Object.entries(CASES)) {
  Deno.test(`the graph of ${name} computes what the layers compute, as ${operations.join(", ")}`, async () => {
    const model = stack(shape, ...parts());
    assert.deepEqual(await operationsOf(model), operations);
    await assertComputesTheSame(model, noise([3, ...shape]));
  });
}

const MERGES: Record<string, [merge: () => tf.layers.Layer, operations: string[]]> = {
  "Add": [() => layers.add(), ["AddV2", "AddV2"]],
  "Multiply": [() => layers.multiply(), ["Mul", "Mul"]],
  "Concatenate": [() => layers.concatenate(), ["ConcatV2"]],
  "Concatenate along the height": [() => layers.concatenate({ axis: 1 }), ["ConcatV2"]],
};

for (const [name, [merge, operations]] of Object.entries(MERGES)) {
  Deno.test(`the graph of ${name} of three branches computes what the layers compute`, async () => {
    const input = tf.input({ shape: [6, 5, 3] });
    const branches = [1, 2, 3].map(() => conv({ padding: "same" }).apply(input) as Symbolic);
    const model = randomizeWeights(tf.model({ inputs: input, outputs: merge().apply(branches) as Symbolic }));
    assert.deepEqual((await operationsOf(model)).slice(3), operations);
    await assertComputesTheSame(model, noise([2, 6, 5, 3]));
  });
}

Deno.test("a layer that cannot be exported is an error with its name, its class and what is supported", async () => {
  const input = tf.input({ shape: [6, 5, 3] });
  const enlarged = layers.upSampling2d({ name: "enlarge" }).apply(input) as Symbolic;
  const inner = tf.model({ inputs: input, outputs: enlarged, name: "trunk" });
  const image = tf.input({ shape: [6, 5, 3] });
  const outer = tf.model({ inputs: image, outputs: layers.flatten().apply(inner.apply(image)) as Symbolic });
  await assert.rejects(traceModel(outer), (error: Error) => {
    assert.ok(error instanceof ModelError);
    assert.match(error.message, /"trunk\/enlarge" is a UpSampling2D/);
    assert.match(error.message, /Conv2D, Dense, .*, ZeroPadding2D/);
    return true;
  });
});

const REFUSED: Record<string, [shape: number[], layer: () => tf.layers.Layer, message: RegExp]> = {
  "an activation without counterpart": [
    [4],
    () => layers.dense({ units: 2, activation: "softsign", name: "d" }),
    /"d" .*softsign/,
  ],
  "a ReLU up to 4": [[4], () => layers.reLU({ maxValue: 4, name: "r" }), /"r" .*maximum 4/],
  "channels first": [[3, 8, 8], () => conv({ dataFormat: "channelsFirst", name: "c" }), /"c" .*channelsFirst/],
  "a Dense on an image": [[4, 4, 3], () => layers.dense({ units: 2, name: "d" }), /"d" .*4 dimensions/],
  "a dilated DepthwiseConv2D": [[9, 9, 3], () => depthwise({ dilationRate: 2, name: "w" }), /"w" .*dilation/],
  "a BatchNormalization of rows": [[4, 4, 3], () => layers.batchNormalization({ axis: 1, name: "b" }), /"b" .*axis 1/],
};

for (const [name, [shape, layer, message]] of Object.entries(REFUSED)) {
  Deno.test(`${name} is an error that names the layer and the setting`, async () => {
    const input = tf.input({ shape });
    const model = tf.model({ inputs: input, outputs: layer().apply(input) as Symbolic });
    await assert.rejects(
      traceModel(model),
      (error: Error) => error instanceof ModelError && message.test(error.message),
    );
  });
}
