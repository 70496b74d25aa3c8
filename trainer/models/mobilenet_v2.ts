import * as tf from "@tensorflow/tfjs";
import type { Initializers } from "./initializer.ts";
import {
  blockName,
  type InvertedResidual,
  invertedResidual,
  type MobileStyle,
  mobileUnit,
} from "./inverted_residual.ts";

type Tensor = tf.SymbolicTensor;

const STYLE: MobileStyle = { padding: "symmetric", epsilon: 1e-5, momentum: 0.9 };

/** Expansion, filters, blocks and stride of the first block of each stage (Sandler et al. 2018, table 2). */
const STAGES = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/**
 * MobileNetV2 of width 1 without its classifier (Sandler et al. 2018), padded and normalised as torchvision's and timm's.
 *
 * Layers are named `stem`, `block01` to `block17` and `top`, each with a suffix.
 *
 * @param x `[batch, height, width, channels]`, any size
 * @returns features, `[batch, 1280]`
 */
export function mobileNetV2(x: Tensor, initializers: Initializers): Tensor {
  let y = mobileUnit(x, { name: "stem", filters: 32, kernel: 3, stride: 2 }, STYLE, initializers);
  for (const block of blocks()) y = invertedResidual(y, block, STYLE, initializers);
  y = mobileUnit(y, { name: "top", filters: 1280, kernel: 1, stride: 1 }, STYLE, initializers);
  return tf.layers.globalAveragePooling2d({ name: "pool" }).apply(y) as Tensor;
}

function blocks(): InvertedResidual[] {
  return STAGES.flatMap(([expansion, filters, count, stride]) =>
    Array.from({ length: count }, (_, i) => ({ kernel: 3, stride: i === 0 ? stride : 1, expansion, filters }))
  ).map((block, i) => ({ ...block, name: blockName(i) }));
}
