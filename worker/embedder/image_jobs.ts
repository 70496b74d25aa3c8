import type { InputSpec } from "../../shared/card.ts";
import { decodeShrunk, encodeJpeg, encodePng, readHeader } from "../../shared/image/mod.ts";
import type { Embedder } from "./embedder.ts";
import { chosen, type FaceChoice, type FoundFace, type Look } from "./look.ts";

/** The embedding of an image, or of a face on it. */
export interface Found {
  /** `[dim] float32`, unit length */
  embedding: Float32Array;
  /** Of a model of faces. */
  face?: FoundFace;
}

/** What was found on an image, and how long it took, in milliseconds. */
export interface EmbeddedImage {
  found: Found[];
  timing: { decode: number; embed: number };
}

/**
 * All that is done with the bytes of strangers' image files. Each job rejects with ImageError for what is no usable image, or
 * does not show the face that is meant. What jobs give is sent from thread to thread, so it is plain data.
 */
export interface ImageJobs {
  /** The embeddings of what is meant of the image; default all. */
  embed(image: Uint8Array, choice?: FaceChoice): Promise<EmbeddedImage>;
  /** The image, or the face that is meant, as the network sees it: a PNG of the input's size; default the largest. */
  preview(image: Uint8Array, choice?: FaceChoice): Promise<Uint8Array<ArrayBuffer>>;
  /** A small picture of the image, upright: a JPEG. */
  thumbnail(image: Uint8Array): Promise<Uint8Array<ArrayBuffer>>;
}

/** What a thumbnail's longer side has, pixels, and the quality of its JPEG. */
export const THUMBNAIL = { longSide: 128, quality: 75 };

/** The jobs, done in the thread that calls them. */
export function createImageJobs(embedder: Embedder, look: Look, input: InputSpec): ImageJobs {
  return {
    async embed(image, choice = "all") {
      const start = performance.now();
      const sights = chosen(await look(image), choice);
      const decoded = performance.now();
      const found: Found[] = [];
      for (const { pixels, face } of sights) {
        found.push({ embedding: await embedder.embed(pixels), ...face && { face } });
      }
      return { found, timing: { decode: decoded - start, embed: performance.now() - decoded } };
    },
    async preview(image, choice = "largest") {
      const [{ pixels }] = chosen(await look(image), choice);
      return await encodePng(pixels, input.height, input.width, input.channels);
    },
    async thumbnail(image) {
      const { width, height } = readHeader(image);
      const shortSide = Math.max(1, THUMBNAIL.longSide * Math.min(width, height) / Math.max(width, height));
      return await encodeJpeg(await decodeShrunk(image, shortSide), THUMBNAIL.quality);
    },
  };
}
