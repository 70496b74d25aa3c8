import type { InputSpec } from "../../shared/card.ts";
import { decodeShrunk, encodeJpeg, encodePng, readHeader, toInputPixels } from "../../shared/image/mod.ts";
import type { Embedder } from "./embedder.ts";

/** An embedding and how long it took, in milliseconds. */
export interface TimedEmbedding {
  /** `[dim] float32`, unit length */
  embedding: Float32Array;
  timing: { decode: number; embed: number };
}

/**
 * All that is done with the bytes of strangers' image files. Each job rejects with ImageError for what is no usable image. What
 * jobs give is sent from thread to thread, so it is plain data.
 */
export interface ImageJobs {
  embed(image: Uint8Array): Promise<TimedEmbedding>;
  /** The image as the network sees it: a PNG of the input's size. */
  preview(image: Uint8Array): Promise<Uint8Array<ArrayBuffer>>;
  /** A small picture of the image, upright: a JPEG. */
  thumbnail(image: Uint8Array): Promise<Uint8Array<ArrayBuffer>>;
}

/** What a thumbnail's longer side has, pixels, and the quality of its JPEG. */
export const THUMBNAIL = { longSide: 128, quality: 75 };

/** The jobs, done in the thread that calls them. */
export function createImageJobs(embedder: Embedder, input: InputSpec): ImageJobs {
  return {
    async embed(image) {
      const start = performance.now();
      const pixels = await toInputPixels(image, input);
      const decoded = performance.now();
      const embedding = await embedder.embed(pixels);
      return { embedding, timing: { decode: decoded - start, embed: performance.now() - decoded } };
    },
    async preview(image) {
      return await encodePng(await toInputPixels(image, input), input.height, input.width, input.channels);
    },
    async thumbnail(image) {
      const { width, height } = readHeader(image);
      const shortSide = Math.max(1, THUMBNAIL.longSide * Math.min(width, height) / Math.max(width, height));
      return await encodeJpeg(await decodeShrunk(image, shortSide), THUMBNAIL.quality);
    },
  };
}
