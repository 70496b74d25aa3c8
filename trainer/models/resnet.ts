import * as tf from "@tensorflow/tfjs";
import type { Initializers } from "./initializer.ts";
import { basicBlock, bottleneckBlock, convUnit } from "./residual.ts";

type Tensor = tf.SymbolicTensor;

/** Blocks in each of the four stages, by depth (He et al. 2016, table 1). */
const STAGES = { 18: [2, 2, 2, 2], 34: [3, 4, 6, 3], 50: [3, 4, 6, 3] } as const;

/**
 * ResNet as in the paper, without its classifier: 7x7 stem, max pooling, four stages, global average pooling.
 *
 * @param x `[batch, height, width, channels]`, any size
 * @returns features, `[batch, 512]` or, for depth 50, `[batch, 2048]`
 */
export function resnet(x: Tensor, depth: keyof typeof STAGES, initializers: Initializers): Tensor {
  const block = depth === 50 ? bottleneckBlock : basicBlock;
  let y = convUnit(x, { name: "stem", filters: 64, kernel: 7, stride: 2 }, initializers);
  // Zeros at the border lose against no ReLU output, so padding then pooling equals pooling with padding.
  y = tf.layers.zeroPadding2d({ padding: 1, name: "stem_pool_pad" }).apply(y) as Tensor;
  y = tf.layers.maxPooling2d({ poolSize: 3, strides: 2, name: "stem_pool" }).apply(y) as Tensor;
  STAGES[depth].forEach((blocks, stage) => {
    for (let i = 0; i < blocks; i++) {
      const stride = i === 0 && stage > 0 ? 2 : 1;
      y = block(y, `stage${stage + 1}_block${i + 1}`, 64 << stage, stride, initializers);
    }
  });
  return tf.layers.globalAveragePooling2d({ name: "pool" }).apply(y) as Tensor;
}

/**
 * A ResNet that trains on a CPU in minutes: a 3x3 stem of stride 2, then one basic block a stage.
 *
 * @param x `[batch, height, width, channels]`
 * @param widths filters of each stage; every stage after the first halves height and width
 * @returns features, `[batch, last width]`
 */
export function thinResnet(x: Tensor, widths: readonly number[], initializers: Initializers): Tensor {
  let y = convUnit(x, { name: "stem", filters: widths[0], kernel: 3, stride: 2 }, initializers);
  widths.forEach((filters, stage) => {
    y = basicBlock(y, `stage${stage + 1}`, filters, stage === 0 ? 1 : 2, initializers);
  });
  return tf.layers.globalAveragePooling2d({ name: "pool" }).apply(y) as Tensor;
}
