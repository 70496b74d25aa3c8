import * as tf from "@tensorflow/tfjs";
import { batchNorm } from "../../../../trainer/models/batch_norm.ts";
import { createEmbedder, type EmbedderOptions } from "../../../../trainer/models/embedder.ts";
import { initializersFrom } from "../../../../trainer/models/initializer.ts";
import { L2Normalize } from "../../../../trainer/models/l2_normalize.ts";
import { bottleneckBlock, type BottleneckVersion, convUnit } from "../../../../trainer/models/residual.ts";
import { randomizeWeights } from "./exported.ts";

type Symbolic = tf.SymbolicTensor;
const { layers } = tf;

/** One of our own backbones, with weights as training leaves them. */
export function backbone(name: EmbedderOptions["backbone"], size: number, channels: 1 | 3 = 3): tf.LayersModel {
  const input = { height: size, width: size, channels };
  return randomizeWeights(createEmbedder({ backbone: name, input, dimensions: 32, seed: 1 }));
}

/** A stem and two stages of ResNet's bottlenecks, narrow. */
export function bottlenecks(version: BottleneckVersion): tf.LayersModel {
  const image = tf.input({ shape: [17, 17, 3] });
  const initializers = initializersFrom(1);
  let x = convUnit(image, { name: "stem", filters: 8, kernel: 7, stride: 2 }, initializers);
  ["a", "b", "c"].forEach((name, i) => x = bottleneckBlock(x, name, 4, i === 2 ? 2 : 1, version, initializers));
  return embedder(image, x);
}

/** A small MobileNetV2: inverted residuals with relu6 and depthwise convolutions (Sandler et al. 2018, figure 3). */
export function mobileNet(size: number): tf.LayersModel {
  const image = tf.input({ shape: [size, size, 3] });
  let x = relu6(
    layers.conv2d({ filters: 16, kernelSize: 3, strides: 2, padding: "same", useBias: false }).apply(image),
  );
  for (const [filters, stride] of [[8, 1], [12, 2], [12, 1], [16, 2], [16, 1], [16, 1]]) {
    x = invertedResidual(x, filters, stride);
  }
  return embedder(image, x);
}

/** ResNet-50's stem and bottlenecks as Keras has them: zero padding, valid convolutions, biases (He et al. 2016). */
export function kerasBottleneckNet(size: number): tf.LayersModel {
  const image = tf.input({ shape: [size, size, 3] });
  let x = layers.zeroPadding2d({ padding: 3 }).apply(image);
  x = relu(layers.conv2d({ filters: 16, kernelSize: 7, strides: 2 }).apply(x));
  x = layers.zeroPadding2d({ padding: 1 }).apply(x) as Symbolic;
  x = layers.maxPooling2d({ poolSize: 3, strides: 2 }).apply(x) as Symbolic;
  for (const stride of [1, 1, 2]) x = bottleneck(x as Symbolic, 8, stride);
  return embedder(image, x as Symbolic);
}

/** Makes the ranges of a network's channels differ by decades once its normalisations are folded. */
export function withUnequalChannels(model: tf.LayersModel): tf.LayersModel {
  let seed = 100;
  for (const weight of model.weights) {
    const deviation = /gamma/.test(weight.originalName) ? 0.8 : /variance/.test(weight.originalName) ? 1.5 : 0;
    if (deviation > 0) weight.write(tf.exp(tf.randomNormal(weight.shape as number[], 0, deviation, "float32", seed++)));
  }
  return model;
}

function embedder(image: Symbolic, features: Symbolic): tf.LayersModel {
  const pooled = layers.globalAveragePooling2d({}).apply(features) as Symbolic;
  const head = layers.dense({ units: 32 }).apply(layers.dropout({ rate: 0.2 }).apply(pooled)) as Symbolic;
  return randomizeWeights(tf.model({ inputs: image, outputs: new L2Normalize({}).apply(head) as Symbolic }));
}

function invertedResidual(x: Symbolic, filters: number, strides: number): Symbolic {
  const channels = x.shape[3] as number;
  let y = relu6(layers.conv2d({ filters: 6 * channels, kernelSize: 1, useBias: false }).apply(x));
  y = relu6(layers.depthwiseConv2d({ kernelSize: 3, strides, padding: "same", useBias: false }).apply(y));
  const projected = normalized(layers.conv2d({ filters, kernelSize: 1, useBias: false }).apply(y));
  return strides === 1 && filters === channels ? layers.add().apply([x, projected]) as Symbolic : projected;
}

function bottleneck(x: Symbolic, filters: number, strides: number): Symbolic {
  let y = relu(layers.conv2d({ filters, kernelSize: 1, strides }).apply(x));
  y = relu(layers.conv2d({ filters, kernelSize: 3, padding: "same" }).apply(y));
  const expanded = normalized(layers.conv2d({ filters: 4 * filters, kernelSize: 1 }).apply(y));
  const shortcut = strides === 1 && x.shape[3] === 4 * filters
    ? x
    : normalized(layers.conv2d({ filters: 4 * filters, kernelSize: 1, strides }).apply(x));
  return layers.reLU().apply(layers.add().apply([shortcut, expanded]) as Symbolic) as Symbolic;
}

function normalized(x: unknown): Symbolic {
  return batchNorm({ epsilon: 1e-5 }).apply(x as Symbolic) as Symbolic;
}

function relu(x: unknown): Symbolic {
  return layers.reLU().apply(normalized(x)) as Symbolic;
}

function relu6(x: unknown): Symbolic {
  return layers.reLU({ maxValue: 6 }).apply(normalized(x)) as Symbolic;
}
