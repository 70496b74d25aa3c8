import type { InputSpec } from "../../shared/card.ts";
import { toInputPixels } from "../../shared/image/mod.ts";
import type { Timed } from "../metrics/metrics.ts";
import type { Embedder } from "./embedder.ts";
import type { Queue } from "./queue.ts";

/** An embedding and how long it took, in milliseconds. */
export interface TimedEmbedding {
  /** `[dim] float32`, unit length */
  embedding: Float32Array;
  timing: { decode: number; embed: number };
}

/** From the bytes of an image file to its embedding. */
export type ImageEmbedder = (image: Uint8Array) => Promise<TimedEmbedding>;

/**
 * Decodes and embeds one image at a time. The function that it returns throws ImageError for what is no usable image, and
 * OverloadedError if the queue is full.
 */
export function createImageEmbedder(embedder: Embedder, input: InputSpec, queue: Queue, timed: Timed): ImageEmbedder {
  return (image) =>
    queue.run(async () => {
      const decoded = await timed("decode", () => toInputPixels(image, input));
      const embedded = await timed("embed", () => embedder.embed(decoded.result));
      const timing = { decode: decoded.milliseconds, embed: embedded.milliseconds };
      return { embedding: embedded.result, timing };
    });
}
