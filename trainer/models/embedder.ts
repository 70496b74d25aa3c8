import * as tf from "@tensorflow/tfjs";
import type { InputSpec } from "../../shared/card.ts";
import { efficientNetLite0 } from "./efficientnet_lite.ts";
import { type Initializers, initializersFrom } from "./initializer.ts";
import { L2Normalize } from "./l2_normalize.ts";
import { mobileNetV2 } from "./mobilenet_v2.ts";
import { resnet, thinResnet } from "./resnet.ts";

type Backbone = (x: tf.SymbolicTensor, initializers: Initializers) => tf.SymbolicTensor;

/** Networks without their classifier: `[batch, height, width, channels]` to `[batch, features]`. */
export const BACKBONES = {
  "thin-resnet": (x, initializers) => thinResnet(x, [24, 48, 96], initializers),
  "resnet18": (x, initializers) => resnet(x, 18, initializers),
  "resnet34": (x, initializers) => resnet(x, 34, initializers),
  "resnet50": (x, initializers) => resnet(x, 50, initializers),
  "mobilenet-v2": mobileNetV2,
  "efficientnet-lite0": efficientNetLite0,
} satisfies Record<string, Backbone>;

/** The name of a backbone. */
export type BackboneName = keyof typeof BACKBONES;

/** What an embedder is made of. */
export interface EmbedderOptions {
  backbone: BackboneName;
  input: Pick<InputSpec, "height" | "width" | "channels">;
  dimensions: number;
  seed: number;
}

/**
 * A network that maps images to embeddings: a backbone, a dense layer without activation, and L2 normalisation, so that
 * distances are bounded and only the direction carries identity (Schroff et al. 2015, section 3.1).
 *
 * @returns a model from `[batch, height, width, channels] float32` to `[batch, dimensions] float32` rows of unit length
 */
export function createEmbedder({ backbone, input, dimensions, seed }: EmbedderOptions): tf.LayersModel {
  const initializers = initializersFrom(seed);
  const image = tf.input({ shape: [input.height, input.width, input.channels], name: "input" });
  const features = BACKBONES[backbone](image, initializers);
  const head = tf.layers.dense({ units: dimensions, kernelInitializer: initializers.glorot(), name: "head" });
  const embedding = new L2Normalize({ name: "embedding" }).apply(head.apply(features)) as tf.SymbolicTensor;
  return tf.model({ inputs: image, outputs: embedding, name: backbone });
}
