import * as tf from "@tensorflow/tfjs";
import type { Initializers } from "./initializer.ts";
import { blockName, invertedResidual, type MobileStyle, mobileUnit } from "./inverted_residual.ts";

/** A run of equal blocks, but for the stride, which is that of the first one. */
export interface MobileStage {
  blocks: number;
  kernel: number;
  stride: number;
  expansion: number;
  filters: number;
}

/**
 * A network of inverted residuals without its classifier: stem of stride 2, stages, a wide convolution, global average
 * pooling. Layers are named `stem`, `block01` onwards and `top`, each with a suffix.
 *
 * @param x `[batch, height, width, channels]`, any size
 * @returns features, `[batch, 1280]`
 */
export function mobileNet(
  x: tf.SymbolicTensor,
  stages: readonly MobileStage[],
  style: MobileStyle,
  initializers: Initializers,
): tf.SymbolicTensor {
  const blocks = stages.flatMap(({ blocks, stride, ...block }) =>
    Array.from({ length: blocks }, (_, i) => ({ ...block, stride: i === 0 ? stride : 1 }))
  );
  let y = mobileUnit(x, { name: "stem", filters: 32, kernel: 3, stride: 2 }, style, initializers);
  blocks.forEach((block, i) => y = invertedResidual(y, { ...block, name: blockName(i) }, style, initializers));
  y = mobileUnit(y, { name: "top", filters: 1280, kernel: 1, stride: 1 }, style, initializers);
  return tf.layers.globalAveragePooling2d({ name: "pool" }).apply(y) as tf.SymbolicTensor;
}
