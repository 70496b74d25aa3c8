import type * as tf from "@tensorflow/tfjs";
import type { Initializers } from "./initializer.ts";
import type { MobileStyle } from "./inverted_residual.ts";
import { mobileNet, type MobileStage } from "./mobile_net.ts";

const STYLE: MobileStyle = { padding: "same", epsilon: 1e-3, momentum: 0.99, activation: "relu6" };

const STAGES: MobileStage[] = [
  { blocks: 1, kernel: 3, stride: 1, expansion: 1, filters: 16 },
  { blocks: 2, kernel: 3, stride: 2, expansion: 6, filters: 24 },
  { blocks: 2, kernel: 5, stride: 2, expansion: 6, filters: 40 },
  { blocks: 3, kernel: 3, stride: 2, expansion: 6, filters: 80 },
  { blocks: 3, kernel: 5, stride: 1, expansion: 6, filters: 112 },
  { blocks: 4, kernel: 5, stride: 2, expansion: 6, filters: 192 },
  { blocks: 1, kernel: 3, stride: 1, expansion: 6, filters: 320 },
];

/**
 * EfficientNet-Lite0 without its classifier: EfficientNet-B0 (Tan and Le 2019) with ReLU6 and without squeeze-and-excitation,
 * as Google published it for mobile devices. Its weights expect RGB as `(pixel - 127) / 128`. It is timm's
 * `tf_efficientnet_lite0`; the weights of timm's own `efficientnet_lite0` have the same names and another padding.
 *
 * @param x `[batch, height, width, channels]`, any size
 * @returns features, `[batch, 1280]`
 */
export function efficientNetLite0(x: tf.SymbolicTensor, initializers: Initializers): tf.SymbolicTensor {
  return mobileNet(x, STAGES, STYLE, initializers);
}
