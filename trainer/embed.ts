import * as tf from "@tensorflow/tfjs";
import type { InputSpec } from "../shared/card.ts";
import { normalize } from "../shared/image/mod.ts";
import { stack } from "./data/batches.ts";

const BATCH = 64;

/**
 * Embeds images with a network in inference mode.
 *
 * @param pixels `[height, width, channels]` 8-bit each
 * @param predict from `[batch, height, width, channels] float32` to `[batch, dim] float32`
 * @returns `[images, dim] float32`, row by row
 */
export async function embedAll(
  pixels: Uint8Array[],
  input: InputSpec,
  predict: (batch: tf.Tensor4D) => tf.Tensor,
): Promise<Float32Array<ArrayBuffer>> {
  const parts: Float32Array[] = [];
  for (let i = 0; i < pixels.length; i += BATCH) {
    const rows = pixels.slice(i, i + BATCH).map((image) => normalize(image, input));
    const embeddings = tf.tidy(() =>
      predict(tf.tensor4d(stack(rows), [rows.length, input.height, input.width, input.channels]))
    );
    parts.push(await embeddings.data<"float32">());
    embeddings.dispose();
  }
  const whole = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  parts.reduce((offset, part) => (whole.set(part, offset), offset + part.length), 0);
  return whole;
}
