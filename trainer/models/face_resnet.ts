import * as tf from "@tensorflow/tfjs";
import type { Initializers } from "./initializer.ts";
import { relu } from "./relu.ts";
import { ZeroChannels } from "./zero_channels.ts";

type Tensor = tf.SymbolicTensor;

/** Filters of each stage, and how many residual blocks it has. Every stage but the first begins by halving height and width. */
const STAGES = [
  { filters: 32, blocks: 3 },
  { filters: 64, blocks: 4 },
  { filters: 128, blocks: 3 },
  { filters: 256, blocks: 3 },
  { filters: 256, blocks: 1 },
];

/**
 * The face network of dlib (Davis King 2017, `dlib_face_recognition_resnet_model_v1`): 29 convolutions, half the filters of
 * ResNet-34, no projections. Each convolution has a bias and no BatchNorm: that of its training is folded into it.
 *
 * @param x `[batch, height, width, 3]`; its weights are of faces of 150 x 150 pixels, scaled as `dlib` in `PIXEL_SCALES`
 * @returns features, `[batch, 256]`; the matrix behind them is the embedder's head
 */
export function faceResNet(x: Tensor, initializers: Initializers): Tensor {
  let y = convolution(x, { name: "stem", filters: 32, kernel: 7, stride: 2 }, initializers);
  y = relu({ name: "stem_relu" }).apply(y) as Tensor;
  y = tf.layers.maxPooling2d({ poolSize: 3, strides: 2, name: "stem_pool" }).apply(y) as Tensor;
  STAGES.forEach(({ filters, blocks }, stage) => {
    for (let i = 0; i < blocks; i++) {
      y = block(y, `stage${stage + 1}_block${i + 1}`, filters, stage > 0 && i === 0, initializers);
    }
  });
  return tf.layers.globalAveragePooling2d({ name: "pool" }).apply(y) as Tensor;
}

/** Two convolutions and a shortcut; one that halves pools its shortcut, and appends channels of zeros where it has too few. */
function block(x: Tensor, name: string, filters: number, halves: boolean, initializers: Initializers): Tensor {
  let y = convolution(x, { name: `${name}_conv1`, filters, kernel: 3, stride: halves ? 2 : 1 }, initializers);
  y = relu({ name: `${name}_conv1_relu` }).apply(y) as Tensor;
  y = convolution(y, { name: `${name}_conv2`, filters, kernel: 3, stride: 1 }, initializers);
  let shortcut = x;
  if (halves) {
    shortcut = tf.layers.averagePooling2d({ poolSize: 2, name: `${name}_shortcut_pool` }).apply(x) as Tensor;
    const missing = filters - channelsOf(shortcut);
    if (missing > 0) {
      shortcut = new ZeroChannels({ count: missing, name: `${name}_shortcut_zeros` }).apply(shortcut) as Tensor;
    }
    y = paddedLike(y, shortcut, name);
  }
  const sum = tf.layers.add({ name: `${name}_add` }).apply([shortcut, y]) as Tensor;
  return relu({ name: `${name}_out` }).apply(sum) as Tensor;
}

/** A convolution of stride 2 loses the last row and column of an even input, which the pooled shortcut has. */
function paddedLike(y: Tensor, shortcut: Tensor, name: string): Tensor {
  const [bottom, right] = [1, 2].map((axis) => shortcut.shape[axis]! - y.shape[axis]!);
  if (bottom === 0 && right === 0) return y;
  return tf.layers.zeroPadding2d({ padding: [[0, bottom], [0, right]], name: `${name}_pad` }).apply(y) as Tensor;
}

function convolution(
  x: Tensor,
  { name, filters, kernel, stride }: { name: string; filters: number; kernel: number; stride: 1 | 2 },
  initializers: Initializers,
): Tensor {
  return tf.layers.conv2d({
    filters,
    kernelSize: kernel,
    strides: stride,
    padding: stride === 1 ? "same" : "valid",
    kernelInitializer: initializers.he(),
    name,
  }).apply(x) as Tensor;
}

function channelsOf(x: Tensor): number {
  return x.shape[x.shape.length - 1]!;
}
