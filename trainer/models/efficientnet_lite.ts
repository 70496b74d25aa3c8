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

const STYLE: MobileStyle = { padding: "same", epsilon: 1e-3, momentum: 0.99 };

/** Blocks, kernel, stride of the first block, expansion and filters of each stage. */
const STAGES = [
  [1, 3, 1, 1, 16],
  [2, 3, 2, 6, 24],
  [2, 5, 2, 6, 40],
  [3, 3, 2, 6, 80],
  [3, 5, 1, 6, 112],
  [4, 5, 2, 6, 192],
  [1, 3, 1, 6, 320],
] as const;

/**
 * EfficientNet-Lite0 without its classifier: EfficientNet-B0 (Tan and Le 2019) with ReLU6 and without squeeze-and-excitation,
 * as Google published it for mobile devices. Its weights expect RGB as `(pixel - 127) / 128`.
 *
 * Layers are named `stem`, `block01` to `block16` and `top`, each with a suffix.
 *
 * @param x `[batch, height, width, channels]`, any size
 * @returns features, `[batch, 1280]`
 */
export function efficientNetLite0(x: Tensor, initializers: Initializers): Tensor {
  let y = mobileUnit(x, { name: "stem", filters: 32, kernel: 3, stride: 2 }, STYLE, initializers);
  for (const block of blocks()) y = invertedResidual(y, block, STYLE, initializers);
  y = mobileUnit(y, { name: "top", filters: 1280, kernel: 1, stride: 1 }, STYLE, initializers);
  return tf.layers.globalAveragePooling2d({ name: "pool" }).apply(y) as Tensor;
}

function blocks(): InvertedResidual[] {
  return STAGES.flatMap(([count, kernel, stride, expansion, filters]) =>
    Array.from({ length: count }, (_, i) => ({ kernel, stride: i === 0 ? stride : 1, expansion, filters }))
  ).map((block, i) => ({ ...block, name: blockName(i) }));
}
