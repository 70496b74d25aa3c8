import type { Timed } from "../metrics/metrics.ts";
import type { Embedder } from "./embedder.ts";
import { chosen, type FaceChoice, type FoundFace, type Look, type Sight } from "./look.ts";
import type { Queue } from "./queue.ts";

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

/** From the bytes of an image file to the embeddings of what is meant of it; without a choice, of all. */
export type ImageEmbedder = (image: Uint8Array, choice?: FaceChoice) => Promise<EmbeddedImage>;

/**
 * Decodes and embeds one image at a time. The function that it returns throws ImageError for what is no usable image
 * or does not show the face that is meant, and OverloadedError if the queue is full.
 */
export function createImageEmbedder(look: Look, embedder: Embedder, queue: Queue, timed: Timed): ImageEmbedder {
  return (image, choice = "all") =>
    queue.run(async () => {
      const seen = await timed("decode", async () => chosen(await look(image), choice));
      const embedded = await timed("embed", () => embedAll(seen.result, embedder));
      return { found: embedded.result, timing: { decode: seen.milliseconds, embed: embedded.milliseconds } };
    });
}

async function embedAll(sights: readonly Sight[], embedder: Embedder): Promise<Found[]> {
  const found: Found[] = [];
  for (const { pixels, face } of sights) found.push({ embedding: await embedder.embed(pixels), ...face && { face } });
  return found;
}
