import * as tf from "@tensorflow/tfjs";
import { relu } from "../relu.ts";

type Tensor = tf.SymbolicTensor;

const SIZE = 112;
/** Filters of each block, which halves height and width. */
const FILTERS = [32, 64, 128, 256];
const POINTS = 68;

/**
 * The 68-point landmark network of face-api (Vincent Mühler 2018): four densely connected blocks of separable convolutions.
 *
 * @returns a model from `[batch, 112, 112, 3] float32`, a square around a face, to `[batch, 136] float32`: x and y of each
 * point of the iBUG 300-W scheme, as shares of the square's sides
 */
export function faceLandmarks(): tf.LayersModel {
  const image = tf.input({ shape: [SIZE, SIZE, 3], name: "input" });
  let y = image;
  FILTERS.forEach((filters, i) => y = denseBlock(y, `dense${i}`, filters, i === 0));
  y = tf.layers.globalAveragePooling2d({ name: "pool" }).apply(y) as Tensor;
  const points = tf.layers.dense({ units: 2 * POINTS, name: "fc" }).apply(y) as Tensor;
  return tf.model({ inputs: image, outputs: points, name: "face-landmarks" });
}

/** Each convolution takes the sum of all before it. */
function denseBlock(x: Tensor, name: string, filters: number, isFirst: boolean): Tensor {
  const rectified = (x: Tensor, i: number) => relu({ name: `${name}_relu${i}` }).apply(x) as Tensor;
  const separable = (x: Tensor, i: number, strides: number) =>
    tf.layers.separableConv2d({ filters, kernelSize: 3, strides, padding: "same", name: `${name}_conv${i}` })
      .apply(x) as Tensor;
  const first = isFirst
    ? tf.layers.conv2d({ filters, kernelSize: 3, strides: 2, padding: "same", name: `${name}_conv0` }).apply(
      x,
    ) as Tensor
    : separable(x, 0, 2);
  let sum = rectified(first, 0), y = sum;
  for (let i = 1; i < 4; i++) {
    sum = tf.layers.add({ name: `${name}_sum${i}` }).apply([sum, separable(y, i, 1)]) as Tensor;
    y = rectified(sum, i);
  }
  return y;
}
