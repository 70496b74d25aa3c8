import * as tf from "@tensorflow/tfjs";

type Tensor = tf.SymbolicTensor;

/** Filters of the convolutions before the last. */
const FILTERS = [16, 32, 64, 128, 256, 512];
/** Boxes of a cell, five numbers each. */
const OUTPUTS = 5 * 5;

/**
 * The TinyFaceDetector of face-api (Vincent Mühler 2018): Tiny YOLO v2 with separable convolutions. How its output becomes
 * boxes stands in `shared/face/grid.ts`.
 *
 * @returns a model from `[batch, size, size, 3] float32`, any multiple of 32, to `[batch, size / 32, size / 32, 25] float32`
 */
export function tinyFaceDetector(): tf.LayersModel {
  const image = tf.input({ shape: [null, null, 3], name: "input" });
  let y = image;
  FILTERS.forEach((filters, i) => {
    const name = `conv${i}`;
    const convolution = i === 0
      ? tf.layers.conv2d({ filters, kernelSize: 3, name })
      : tf.layers.separableConv2d({ filters, kernelSize: 3, padding: "same", name });
    y = tf.layers.leakyReLU({ alpha: 0.1, name: `${name}_relu` }).apply(convolution.apply(y)) as Tensor;
    const strides = i === FILTERS.length - 1 ? 1 : 2;
    y = tf.layers.maxPooling2d({ poolSize: 2, strides, padding: "same", name: `${name}_pool` }).apply(y) as Tensor;
  });
  const boxes = tf.layers.conv2d({ filters: OUTPUTS, kernelSize: 1, name: "conv8" }).apply(y) as Tensor;
  return tf.model({ inputs: image, outputs: boxes, name: "tiny-face-detector" });
}
