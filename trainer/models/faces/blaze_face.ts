import * as tf from "@tensorflow/tfjs";
import { relu } from "../relu.ts";
import { ZeroChannels } from "../zero_channels.ts";

type Tensor = tf.SymbolicTensor;

const SIZE = 256;
/** Filters of each run of blocks; every run but the first begins by halving height and width. */
const RUNS = [24, 24, 48, 96];
/** Boxes that a cell of each grid has; a box is the place of its corner points and eyes, nose, mouth and ears, as 16 numbers. */
const BOXES = [2, 6];
const NUMBERS = 16;

/**
 * BlazeFace for full photos (Bazarevsky et al. 2019; Google's "back camera" network): separable convolutions in residual
 * blocks, and boxes in two grids. How its output becomes boxes stands in `shared/face/anchors.ts`.
 *
 * @returns a model from `[batch, 256, 256, 3] float32` to `[batch, 896, 17] float32`: of each box its score and its numbers
 */
export function blazeFace(): tf.LayersModel {
  const image = tf.input({ shape: [SIZE, SIZE, 3], name: "input" });
  const stem = tf.layers.conv2d({ filters: RUNS[0], kernelSize: 5, strides: 2, padding: "same", name: "stem" });
  let y = rectified(stem.apply(image) as Tensor, "stem");
  RUNS.forEach((filters, run) => {
    for (let i = run === 0 ? 1 : 0; i < 8; i++) y = block(y, `run${run + 1}_block${i}`, filters, i === 0 ? 2 : 1);
  });
  const coarse = rectified(separable("coarse", RUNS[3], 2).apply(y) as Tensor, "coarse");
  const boxes = [boxesOf(y, "fine", BOXES[0]), boxesOf(coarse, "coarse", BOXES[1])];
  const all = tf.layers.concatenate({ axis: 1, name: "boxes" }).apply(boxes) as Tensor;
  return tf.model({ inputs: image, outputs: all, name: "blaze-face" });
}

/** A separable convolution and a shortcut, which is pooled and widened with zeros where it has to be. */
function block(x: Tensor, name: string, filters: number, strides: 1 | 2): Tensor {
  const y = separable(name, filters, strides).apply(x) as Tensor;
  let shortcut = x;
  if (strides === 2) {
    shortcut = tf.layers.maxPooling2d({ poolSize: 2, padding: "same", name: `${name}_pool` }).apply(x) as Tensor;
  }
  const count = filters - shortcut.shape[3]!;
  if (count > 0) shortcut = new ZeroChannels({ count, name: `${name}_zeros` }).apply(shortcut) as Tensor;
  return rectified(tf.layers.add({ name: `${name}_add` }).apply([y, shortcut]) as Tensor, name);
}

/** `[cells * boxes, 17]` of a grid. */
function boxesOf(x: Tensor, name: string, boxes: number): Tensor {
  const rows = x.shape[1]! * x.shape[2]! * boxes;
  const of = (part: string, numbers: number) => {
    const grid = tf.layers.conv2d({ filters: boxes * numbers, kernelSize: 1, name: `${name}_${part}` }).apply(x);
    return tf.layers.reshape({ targetShape: [rows, numbers], name: `${name}_${part}_rows` }).apply(grid) as Tensor;
  };
  return tf.layers.concatenate({ axis: 2, name: `${name}_boxes` })
    .apply([of("scores", 1), of("numbers", NUMBERS)]) as Tensor;
}

function separable(name: string, filters: number, strides: 1 | 2): tf.layers.Layer {
  return tf.layers.separableConv2d({ filters, kernelSize: 3, strides, padding: "same", name });
}

function rectified(x: Tensor, name: string): Tensor {
  return relu({ name: `${name}_relu` }).apply(x) as Tensor;
}
