import * as tf from "@tensorflow/tfjs";
import type { InputSpec } from "../shared/card.ts";
import { normalize } from "../shared/image/mod.ts";
import { concatenate } from "./concatenate.ts";

const BATCH = 64;

/** A layers model or a graph model. */
export interface Network {
  /** From `[batch, height, width, channels] float32` to `[batch, dim] float32`. */
  predict(batch: tf.Tensor): tf.Tensor | tf.Tensor[] | tf.NamedTensorMap;
}

/**
 * Embeds images with a network in inference mode.
 *
 * @param images `[height, width, channels]` 8-bit pixels each
 * @returns `[images, dim] float32`, row by row
 */
export async function embedAll(
  network: Network,
  images: readonly { pixels: Uint8Array }[],
  input: InputSpec,
): Promise<Float32Array<ArrayBuffer>> {
  const parts: Float32Array[] = [];
  for (let i = 0; i < images.length; i += BATCH) {
    const rows = images.slice(i, i + BATCH).map(({ pixels }) => normalize(pixels, input));
    const embeddings = tf.tidy(() => {
      const batch = tf.tensor4d(concatenate(rows), [rows.length, input.height, input.width, input.channels]);
      return network.predict(batch) as tf.Tensor;
    });
    parts.push(await embeddings.data<"float32">());
    embeddings.dispose();
  }
  return concatenate(parts);
}
