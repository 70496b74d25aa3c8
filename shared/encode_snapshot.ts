import { createHash } from "node:crypto";
import { quantizeVector } from "./quantized_vector.ts";
import {
  type GallerySnapshot,
  type ImageRecord,
  SNAPSHOT_ALIGNMENT,
  SNAPSHOT_MAGIC,
  SNAPSHOT_PREFIX,
  SNAPSHOT_VERSION,
  type SnapshotHeader,
  type SnapshotSection,
} from "./snapshot.ts";

/** How many rows make a part. */
const ROWS_AT_ONCE = 8192;

/**
 * Writes a gallery in the format that `docs/snapshot-format.md` describes, part by part: what is written is never in memory
 * as a whole.
 */
export function* encodeSnapshot(snapshot: GallerySnapshot): Generator<Uint8Array<ArrayBuffer>> {
  const hash = createHash("sha256");
  for (const part of partsOf(snapshot)) {
    hash.update(part);
    yield part;
  }
  yield new Uint8Array(hash.digest());
}

function* partsOf(snapshot: GallerySnapshot): Generator<Uint8Array<ArrayBuffer>> {
  const { dimensions } = snapshot;
  const images = snapshot.collections.flatMap(({ subjects }) => subjects.flatMap(({ images }) => images));
  const thumbnails = images.flatMap(({ thumbnail }) => thumbnail ?? []);
  const sections = sectionsOf({
    quantized: images.length * dimensions,
    scales: images.length * 4,
    vectors: images.length * dimensions * 4,
    thumbnails: thumbnails.reduce((sum, { length }) => sum + length, 0),
  });
  yield headerOf(snapshot, sections);
  const scales = new Float32Array(images.length);
  for (const [first, rows] of chunksOf(images)) {
    const quantized = new Int8Array(rows.length * dimensions);
    rows.forEach(({ embedding }, i) => {
      scales[first + i] = quantizeVector(embedding, quantized.subarray(i * dimensions, (i + 1) * dimensions));
    });
    yield new Uint8Array(quantized.buffer);
  }
  yield padding(sections.quantized.bytes);
  yield new Uint8Array(scales.buffer);
  yield padding(sections.scales.bytes);
  for (const [, rows] of chunksOf(images)) {
    const vectors = new Float32Array(rows.length * dimensions);
    rows.forEach(({ embedding }, i) => vectors.set(embedding, i * dimensions));
    yield new Uint8Array(vectors.buffer);
  }
  yield padding(sections.vectors.bytes);
  yield* thumbnails;
  yield padding(sections.thumbnails.bytes);
}

function sectionsOf(sizes: Record<SnapshotSection, number>): SnapshotHeader["sections"] {
  let offset = 0;
  const place = (bytes: number) => {
    const section = { offset, bytes };
    offset += aligned(bytes);
    return section;
  };
  // In the order of the file.
  return {
    quantized: place(sizes.quantized),
    scales: place(sizes.scales),
    vectors: place(sizes.vectors),
    thumbnails: place(sizes.thumbnails),
  };
}

function headerOf(
  { collections, ...model }: GallerySnapshot,
  sections: SnapshotHeader["sections"],
): Uint8Array<ArrayBuffer> {
  const { fingerprint, dimensions } = model;
  const json = new TextEncoder().encode(
    JSON.stringify({ fingerprint, dimensions, sections, collections }, (key, value) => {
      if (key === "embedding" && value instanceof Float32Array) return undefined;
      return key === "thumbnail" && value instanceof Uint8Array ? value.length : value;
    }),
  );
  const bytes = new Uint8Array(aligned(SNAPSHOT_PREFIX + json.length)).fill(0x20);
  bytes.set(new TextEncoder().encode(SNAPSHOT_MAGIC));
  const view = new DataView(bytes.buffer);
  view.setUint32(SNAPSHOT_MAGIC.length, SNAPSHOT_VERSION, true);
  view.setUint32(SNAPSHOT_MAGIC.length + 4, bytes.length - SNAPSHOT_PREFIX, true);
  bytes.set(json, SNAPSHOT_PREFIX);
  return bytes;
}

function* chunksOf(images: ImageRecord[]): Generator<[first: number, ImageRecord[]]> {
  for (let first = 0; first < images.length; first += ROWS_AT_ONCE) {
    yield [first, images.slice(first, first + ROWS_AT_ONCE)];
  }
}

function padding(bytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(aligned(bytes) - bytes);
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / SNAPSHOT_ALIGNMENT) * SNAPSHOT_ALIGNMENT;
}
