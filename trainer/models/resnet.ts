import * as tf from "@tensorflow/tfjs";
import type { Initializers } from "./initializer.ts";
import { basicBlock, bottleneckBlock, type BottleneckVersion, convUnit } from "./residual.ts";

type Tensor = tf.SymbolicTensor;

/** How many residual blocks of which kind, by depth (He et al. 2016, table 1). */
const PLANS = {
  18: { blocks: [2, 2, 2, 2], bottleneck: false },
  34: { blocks: [3, 4, 6, 3], bottleneck: false },
  50: { blocks: [3, 4, 6, 3], bottleneck: true },
  101: { blocks: [3, 4, 23, 3], bottleneck: true },
} as const;

/** Which ResNet. */
export interface ResNetPlan {
  depth: keyof typeof PLANS;
  /** Of the bottlenecks of depth 50 and 101; default `v1`, the paper's. */
  version?: BottleneckVersion;
}

/**
 * ResNet as in the paper, without its classifier: 7x7 stem, max pooling, four stages, global average pooling.
 *
 * @param x `[batch, height, width, channels]`, any size
 * @returns features, `[batch, 512]` or, for depth 50 and 101, `[batch, 2048]`
 */
export function resnet(x: Tensor, { depth, version = "v1" }: ResNetPlan, initializers: Initializers): Tensor {
  const { blocks, bottleneck } = PLANS[depth];
  let y = convUnit(x, { name: "stem", filters: 64, kernel: 7, stride: 2 }, initializers);
  // Zeros at the border lose against no ReLU output, so padding then pooling equals pooling with padding.
  y = tf.layers.zeroPadding2d({ padding: 1, name: "stem_pool_pad" }).apply(y) as Tensor;
  y = tf.layers.maxPooling2d({ poolSize: 3, strides: 2, name: "stem_pool" }).apply(y) as Tensor;
  blocks.forEach((count, stage) => {
    for (let i = 0; i < count; i++) {
      const name = `stage${stage + 1}_block${i + 1}`;
      const filters = 64 << stage, stride = i === 0 && stage > 0 ? 2 : 1;
      y = bottleneck
        ? bottleneckBlock(y, name, filters, stride, version, initializers)
        : basicBlock(y, name, filters, stride, initializers);
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
