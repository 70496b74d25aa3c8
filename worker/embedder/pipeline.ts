import type { InputSpec } from "../../shared/card.ts";
import { toInputPixels } from "../../shared/image/mod.ts";
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
export function createImageEmbedder(embedder: Embedder, input: InputSpec, queue: Queue): ImageEmbedder {
  return (image) =>
    queue.run(async () => {
      const start = performance.now();
      const pixels = await toInputPixels(image, input);
      const decoded = performance.now();
      const embedding = await embedder.embed(pixels);
      return { embedding, timing: { decode: decoded - start, embed: performance.now() - decoded } };
    });
}
