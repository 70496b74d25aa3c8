import * as tf from "@tensorflow/tfjs";
import type { InputSpec } from "../../shared/card.ts";
import { type Backbone, type BackboneName, BACKBONES } from "./backbones.ts";
import { initializersFrom } from "./initializer.ts";
import { L2Normalize } from "./l2_normalize.ts";

/** What an embedder is made of. */
export interface EmbedderOptions {
  /** One that has a name, or a function that makes one. */
  backbone: BackboneName | Backbone;
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
  const named = typeof backbone === "string";
  const features = (named ? BACKBONES[backbone] : backbone)(image, initializers);
  const head = tf.layers.dense({ units: dimensions, kernelInitializer: initializers.glorot(), name: "head" });
  const embedding = new L2Normalize({ name: "embedding" }).apply(head.apply(features)) as tf.SymbolicTensor;
  return tf.model({ inputs: image, outputs: embedding, name: named ? backbone : "layers-model" });
}
