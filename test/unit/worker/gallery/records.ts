import { Buffer } from "node:buffer";
import type { GallerySnapshot, SubjectRecord } from "../../../../shared/snapshot.ts";

export const DIMENSIONS = 8;

/** What a gallery needs of a model's card. */
export const CARD = {
  fingerprint: `sha256:${"1".repeat(64)}`,
  embedding: { dimensions: DIMENSIONS, metric: "euclidean" as const },
};

/** A gallery of that model in which nobody is. */
export const EMPTY: GallerySnapshot = { fingerprint: CARD.fingerprint, dimensions: DIMENSIONS, collections: [] };

/** Numbers in 0..1 by a linear congruential generator (Numerical Recipes, section 7.1). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

/** `[dimensions] float32` of unit length. */
export function unitVector(random: () => number, dimensions = DIMENSIONS): Float32Array<ArrayBuffer> {
  const vector = Float32Array.from({ length: dimensions }, () => random() - 0.5);
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

/** A subject with these embeddings. */
export function subjectOf(subject: string, ...embeddings: Float32Array[]): SubjectRecord {
  const images = embeddings.map((embedding, i) => ({ image: `${subject}-${i}`, createdAt: "", embedding }));
  return { subject, metadata: {}, expiresAt: null, revision: "r", images };
}

/** What all files of a folder hold. */
export async function contentOf(folder: string): Promise<Buffer> {
  const files = await Array.fromAsync(Deno.readDir(folder), ({ name }) => Deno.readFile(`${folder}/${name}`));
  return Buffer.concat(files);
}

/** Whether bytes, or a text in UTF-8, are in any file of a folder. */
export async function isInFiles(folder: string, needle: string | Uint8Array): Promise<boolean> {
  return (await contentOf(folder)).includes(typeof needle === "string" ? needle : Buffer.from(needle));
}
