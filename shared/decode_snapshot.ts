import { createHash } from "node:crypto";
import { GalleryError } from "./errors.ts";
import { quantizeVector } from "./quantized_vector.ts";
import {
  type GallerySnapshot,
  SNAPSHOT_ALIGNMENT,
  SNAPSHOT_DIGEST,
  SNAPSHOT_MAGIC,
  SNAPSHOT_PREFIX,
  SNAPSHOT_VERSION,
  SnapshotHeader,
  type SnapshotRows,
  type SnapshotSection,
} from "./snapshot.ts";

/** A header may come from anywhere, and is parsed as one string: a subject with one image takes about 170 bytes of it. */
const MOST_HEADER = 256 << 20;
/** How many bytes are hashed, and rows checked, before others get their turn. */
const HASHED_AT_ONCE = 8 << 20;
const ROWS_AT_ONCE = 8192;
/** How many quantised rows, evenly spread, are computed again: a program that makes them wrongly does so in most. */
const ROWS_REPEATED = 16_384;
/** How far from 1 the length of an embedding may be, by rounding. */
const LENGTH_TOLERANCE = 1e-3;

/**
 * Reads what `encodeSnapshot` wrote, or another program by `docs/snapshot-format.md`. Embeddings, rows and thumbnails are
 * views of the bytes where these begin at a multiple of 4, otherwise of one copy.
 *
 * @param where named in the error
 * @throws {GalleryError} if it is no snapshot, of another version, does not hold what it says, or if as much as one bit was
 * changed
 */
export async function decodeSnapshot(
  bytes: Uint8Array<ArrayBuffer>,
  where: string,
): Promise<GallerySnapshot & { rows: SnapshotRows }> {
  const refused = (what: string) => new GalleryError(`The snapshot in ${where} ${what}; export it again.`);
  const version = snapshotVersion(bytes);
  if (version === null) throw refused("is no snapshot of a gallery, or is cut off");
  if (!await digestHolds(bytes)) throw refused("is damaged or cut off");
  if (version === 1) {
    throw new GalleryError(`${where} is of a former version; deno task gallery import takes it over into a database.`);
  }
  if (version !== SNAPSHOT_VERSION) {
    throw refused(`has the format ${version}, and this version of Triptych reads ${SNAPSHOT_VERSION}`);
  }
  const headerEnd = SNAPSHOT_PREFIX + viewOf(bytes).getUint32(SNAPSHOT_MAGIC.length + 4, true);
  if (headerEnd > SNAPSHOT_PREFIX + MOST_HEADER) throw refused("has a header of more than 256 MiB");
  if (headerEnd % SNAPSHOT_ALIGNMENT !== 0 || headerEnd > bytes.length - SNAPSHOT_DIGEST) {
    throw refused("has a header of a length that cannot be");
  }
  const { data: header, error } = SnapshotHeader.safeParse(parseJson(bytes.subarray(SNAPSHOT_PREFIX, headerEnd)));
  if (header === undefined) {
    const [{ path, message }] = error.issues;
    throw refused(`has a header that cannot be read, at ${path.join(".") || "its start"} (${message})`);
  }
  const fault = faultOfHeader(header, bytes.length - SNAPSHOT_DIGEST - headerEnd);
  if (fault !== null) throw refused(fault);
  const data = bytes.byteOffset % 4 === 0 ? bytes.subarray(headerEnd) : bytes.slice(headerEnd);
  const at = (name: SnapshotSection, size: number) => {
    const { offset, bytes } = header.sections[name];
    return [data.buffer, data.byteOffset + offset, bytes / size] as const;
  };
  const rows = {
    vectors: new Float32Array(...at("vectors", 4)),
    quantized: new Int8Array(...at("quantized", 1)),
    scales: new Float32Array(...at("scales", 4)),
  };
  const row = await firstBadRow(rows, header.dimensions);
  if (row !== null) {
    throw refused(`holds in row ${row} no embedding of length 1, or 8-bit values that are not those of the embedding`);
  }
  return { ...recordsOf(header, rows.vectors, new Uint8Array(...at("thumbnails", 1))), rows };
}

/** The version of a snapshot's format; null if the bytes are no snapshot. */
export function snapshotVersion(bytes: Uint8Array): number | null {
  const magic = new TextDecoder().decode(bytes.subarray(0, SNAPSHOT_MAGIC.length));
  if (bytes.length < SNAPSHOT_PREFIX + SNAPSHOT_DIGEST || magic !== SNAPSHOT_MAGIC) return null;
  return viewOf(bytes).getUint32(SNAPSHOT_MAGIC.length, true);
}

/** Whether a snapshot ends with the SHA-256 of all that comes before it. */
export async function digestHolds(bytes: Uint8Array): Promise<boolean> {
  const end = bytes.length - SNAPSHOT_DIGEST, hash = createHash("sha256");
  for (let at = 0; at < end; at += HASHED_AT_ONCE) {
    if (at > 0) await breathe();
    hash.update(bytes.subarray(at, Math.min(at + HASHED_AT_ONCE, end)));
  }
  return hash.digest().every((byte, i) => byte === bytes[end + i]);
}

/** @param available bytes of the sections */
function faultOfHeader({ dimensions, sections, collections }: SnapshotHeader, available: number): string | null {
  let images = 0, thumbnails = 0;
  const names = new Set(collections.map(({ collection }) => collection));
  if (names.size < collections.length) return "names a collection twice";
  for (const { collection, subjects } of collections) {
    if (new Set(subjects.map(({ subject }) => subject)).size < subjects.length) {
      return `names a subject of the collection "${collection}" twice`;
    }
    for (const subject of subjects) {
      images += subject.images.length;
      for (const { thumbnail = 0 } of subject.images) thumbnails += thumbnail;
    }
  }
  const sizes = {
    quantized: images * dimensions,
    scales: images * 4,
    vectors: images * dimensions * 4,
    thumbnails,
  };
  for (const [name, { offset, bytes }] of Object.entries(sections)) {
    if (bytes !== sizes[name as SnapshotSection]) {
      return `has a section "${name}" of ${bytes} bytes for ${images} images`;
    }
    if (offset % SNAPSHOT_ALIGNMENT !== 0 || offset + bytes > available) {
      return `has its section "${name}" where none can be`;
    }
  }
  return null;
}

/** @returns null if all are good */
async function firstBadRow({ vectors, quantized, scales }: SnapshotRows, dimensions: number): Promise<number | null> {
  const expected = new Int8Array(dimensions);
  const stride = Math.ceil(scales.length / ROWS_REPEATED);
  for (let row = 0; row < scales.length; row++) {
    const from = row * dimensions;
    let squared = 0;
    for (let i = from; i < from + dimensions; i++) squared += vectors[i] * vectors[i];
    // A NaN is not within it either.
    if (!(Math.abs(Math.sqrt(squared) - 1) <= LENGTH_TOLERANCE)) return row;
    if (row % stride === 0) {
      if (quantizeVector(vectors.subarray(from, from + dimensions), expected) !== scales[row]) return row;
      for (let i = 0; i < dimensions; i++) if (expected[i] !== quantized[from + i]) return row;
    }
    if ((row + 1) % ROWS_AT_ONCE === 0) await breathe();
  }
  return null;
}

function recordsOf(
  { fingerprint, dimensions, collections }: SnapshotHeader,
  vectors: Float32Array,
  thumbnails: Uint8Array<ArrayBuffer>,
): GallerySnapshot {
  let row = 0, at = 0;
  const imageOf = ({ thumbnail: size, ...image }: SnapshotHeader["collections"][0]["subjects"][0]["images"][0]) => ({
    ...image,
    embedding: vectors.subarray(row * dimensions, ++row * dimensions),
    ...size !== undefined && { thumbnail: thumbnails.subarray(at, at += size) },
  });
  return {
    fingerprint,
    dimensions,
    collections: collections.map(({ collection, subjects }) => ({
      collection,
      subjects: subjects.map(({ images, ...subject }) => ({ ...subject, images: images.map(imageOf) })),
    })),
  };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

/** Lets whatever else waits have its turn: a snapshot is read while others are answered. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
