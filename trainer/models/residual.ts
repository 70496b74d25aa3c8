import * as tf from "@tensorflow/tfjs";
import { batchNorm } from "./batch_norm.ts";
import type { Initializers } from "./initializer.ts";
import { relu } from "./relu.ts";

type Tensor = tf.SymbolicTensor;

/** One convolution with its BatchNorm and, unless `relu` is false, its ReLU. */
export interface ConvUnit {
  name: string;
  filters: number;
  kernel: number;
  stride: number;
  relu?: boolean;
}

/**
 * Convolution without bias, BatchNorm, ReLU. Padding is `floor(kernel / 2)` on every side, whatever the stride, as in the
 * papers and in PyTorch; "same" would pad strided convolutions on one side more than on the other.
 */
export function convUnit(x: Tensor, unit: ConvUnit, initializers: Initializers): Tensor {
  const { name, filters, kernel, stride } = unit;
  const symmetric = stride > 1 && kernel > 1;
  if (symmetric) {
    x = tf.layers.zeroPadding2d({ padding: Math.floor(kernel / 2), name: `${name}_pad` }).apply(x) as Tensor;
  }
  const convolution = tf.layers.conv2d({
    filters,
    kernelSize: kernel,
    strides: stride,
    padding: symmetric ? "valid" : "same",
    useBias: false,
    kernelInitializer: initializers.he(),
    name,
  });
  const y = batchNorm({ name: `${name}_bn`, epsilon: 1e-5, momentum: 0.9 }).apply(convolution.apply(x)) as Tensor;
  return unit.relu === false ? y : relu({ name: `${name}_relu` }).apply(y) as Tensor;
}

/** The two-layer residual block of ResNet-18 and -34 (He et al. 2016, figure 5 left). */
export function basicBlock(
  x: Tensor,
  name: string,
  filters: number,
  stride: number,
  initializers: Initializers,
): Tensor {
  let y = convUnit(x, { name: `${name}_conv1`, filters, kernel: 3, stride }, initializers);
  y = convUnit(y, { name: `${name}_conv2`, filters, kernel: 3, stride: 1, relu: false }, initializers);
  return addShortcut(x, y, name, filters, stride, initializers);
}

/** Which convolution of a bottleneck strides: the first, as in the paper, or the 3x3 one, which sees every pixel. */
export type BottleneckVersion = "v1" | "v1.5";

/**
 * The bottleneck block of ResNet-50 and -101 (He et al. 2016, figure 5 right). Version 1.5 is what PyTorch calls ResNet:
 * the same weights fit both and mean another network.
 */
export function bottleneckBlock(
  x: Tensor,
  name: string,
  filters: number,
  stride: number,
  version: BottleneckVersion,
  initializers: Initializers,
): Tensor {
  const [first, second] = version === "v1" ? [stride, 1] : [1, stride];
  let y = convUnit(x, { name: `${name}_conv1`, filters, kernel: 1, stride: first }, initializers);
  y = convUnit(y, { name: `${name}_conv2`, filters, kernel: 3, stride: second }, initializers);
  y = convUnit(y, { name: `${name}_conv3`, filters: filters * 4, kernel: 1, stride: 1, relu: false }, initializers);
  return addShortcut(x, y, name, filters * 4, stride, initializers);
}

/** Adds the block's input, projected where its shape differs (option B of the paper). */
function addShortcut(
  x: Tensor,
  y: Tensor,
  name: string,
  filters: number,
  stride: number,
  initializers: Initializers,
): Tensor {
  const projected = stride !== 1 || x.shape[x.shape.length - 1] !== filters;
  const shortcut = projected
    ? convUnit(x, { name: `${name}_shortcut`, filters, kernel: 1, stride, relu: false }, initializers)
    : x;
  const sum = tf.layers.add({ name: `${name}_add` }).apply([shortcut, y]) as Tensor;
  return relu({ name: `${name}_out` }).apply(sum) as Tensor;
}
