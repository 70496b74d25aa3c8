import * as tf from "@tensorflow/tfjs";
import type { Initializers } from "./initializer.ts";
import { blockName, invertedResidual, type MobileStyle, mobileUnit } from "./inverted_residual.ts";

const STYLE: MobileStyle = { padding: "symmetric", epsilon: 1e-5, momentum: 0.9, activation: "prelu" };

/** Chen et al. 2018, table 1. */
const STAGES = [
  { blocks: 5, expansion: 2, filters: 64, stride: 2 },
  { blocks: 1, expansion: 4, filters: 128, stride: 2 },
  { blocks: 6, expansion: 2, filters: 128, stride: 1 },
  { blocks: 1, expansion: 4, filters: 128, stride: 2 },
  { blocks: 2, expansion: 2, filters: 128, stride: 1 },
];

/**
 * MobileFaceNet (Chen et al. 2018) up to its global depthwise convolution, which weighs every place of the feature map where
 * pooling would take them for equal. The linear 1x1 convolution after it is the embedder's dense layer.
 *
 * @param x `[batch, height, width, channels]`; the paper's faces are 112 x 112 pixels. Its weights fit that size alone
 * @returns features, `[batch, 512]`
 */
export function mobileFaceNet(x: tf.SymbolicTensor, initializers: Initializers): tf.SymbolicTensor {
  const blocks = STAGES.flatMap(({ blocks, stride, ...block }) =>
    Array.from({ length: blocks }, (_, i) => ({ ...block, kernel: 3, stride: i === 0 ? stride : 1 }))
  );
  let y = mobileUnit(x, { name: "stem", filters: 64, kernel: 3, stride: 2 }, STYLE, initializers);
  y = mobileUnit(y, { name: "stem_depthwise", kernel: 3, stride: 1 }, STYLE, initializers);
  blocks.forEach((block, i) => y = invertedResidual(y, { ...block, name: blockName(i) }, STYLE, initializers));
  y = mobileUnit(y, { name: "top", filters: 512, kernel: 1, stride: 1 }, STYLE, initializers);
  const [, height, width] = y.shape as [null, number, number];
  y = mobileUnit(y, { name: "global", kernel: [height, width], stride: 1, linear: true }, STYLE, initializers);
  return tf.layers.flatten({ name: "flatten" }).apply(y) as tf.SymbolicTensor;
}
