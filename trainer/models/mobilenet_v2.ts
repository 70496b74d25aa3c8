import type * as tf from "@tensorflow/tfjs";
import type { Initializers } from "./initializer.ts";
import type { MobileStyle } from "./inverted_residual.ts";
import { mobileNet, type MobileStage } from "./mobile_net.ts";

const STYLE: MobileStyle = { padding: "symmetric", epsilon: 1e-5, momentum: 0.9, activation: "relu6" };

/** Sandler et al. 2018, table 2. */
const STAGES: MobileStage[] = [
  { blocks: 1, kernel: 3, stride: 1, expansion: 1, filters: 16 },
  { blocks: 2, kernel: 3, stride: 2, expansion: 6, filters: 24 },
  { blocks: 3, kernel: 3, stride: 2, expansion: 6, filters: 32 },
  { blocks: 4, kernel: 3, stride: 2, expansion: 6, filters: 64 },
  { blocks: 3, kernel: 3, stride: 1, expansion: 6, filters: 96 },
  { blocks: 3, kernel: 3, stride: 2, expansion: 6, filters: 160 },
  { blocks: 1, kernel: 3, stride: 1, expansion: 6, filters: 320 },
];

/**
 * MobileNetV2 of width 1 without its classifier (Sandler et al. 2018), padded and normalised as torchvision's and timm's.
 * Keras's pads otherwise: its weights are no good here, but its network is a backbone as tfjs layers model.
 *
 * @param x `[batch, height, width, channels]`, any size
 * @returns features, `[batch, 1280]`
 */
export function mobileNetV2(x: tf.SymbolicTensor, initializers: Initializers): tf.SymbolicTensor {
  return mobileNet(x, STAGES, STYLE, initializers);
}
