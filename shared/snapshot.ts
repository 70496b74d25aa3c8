import { createHash } from "node:crypto";
import { z } from "zod";
import { GalleryError } from "./errors.ts";
import { quantizeVector } from "./quantized_vector.ts";

/** One enrolled image of a subject: its embedding is kept, and a thumbnail where the operator wants that. */
export interface ImageRecord {
  /** ULID */
  image: string;
  /** ISO 8601, UTC */
  createdAt: string;
  /** `[dim] float32`, unit length */
  embedding: Float32Array;
  /** The request that enrolled it, so that its repetition makes no second image: the client's key and SHA-256 of the content. */
  request?: { key: string; digest: string } | undefined;
  /** A small JPEG. */
  thumbnail?: Uint8Array<ArrayBuffer> | undefined;
}

/** A person, a product: whatever is told from others. Records are never changed in place. */
export interface SubjectRecord {
  subject: string;
  /** Any JSON object. */
  metadata: Record<string, unknown>;
  /** ISO 8601, UTC; from then on the subject is not there any more. */
  expiresAt: string | null;
  /** Another one after every change. */
  revision: string;
  images: readonly ImageRecord[];
}

/** A collection and all who are in it. */
export interface CollectionRecord {
  collection: string;
  subjects: SubjectRecord[];
}

/** A whole gallery. */
export interface GallerySnapshot {
  /** The model that all embeddings are of. */
  fingerprint: string;
  dimensions: number;
  collections: CollectionRecord[];
}

/** All embeddings of a snapshot, in the order of its images. */
export interface SnapshotRows {
  /** `[images, dim] float32` */
  vectors: Float32Array;
  /** `[images, dim] int8`, as `quantizeVector` makes them */
  quantized: Int8Array;
  /** `[images] float32`, the scale of each quantised row */
  scales: Float32Array;
}

/** What a snapshot begins with, whatever its version. */
export const SNAPSHOT_MAGIC = "TRIPTYCH";

/** Magic, version and length of the header: bytes before the header. */
export const SNAPSHOT_PREFIX = SNAPSHOT_MAGIC.length + 8;

/** The SHA-256 at the end, bytes. */
export const SNAPSHOT_DIGEST = 32;

const VERSION = 2;
const ALIGNMENT = 64;
/** A header may come from anywhere, and is parsed as one string: 1,000,000 images have about 100 MiB. */
const MOST_HEADER = 256 << 20;
/** How many bytes are hashed, and rows checked, before others get their turn. */
const HASHED_AT_ONCE = 8 << 20;
const ROWS_AT_ONCE = 8192;
/** How many quantised rows, evenly spread, are computed again: a program that makes them wrongly does so in most. */
const ROWS_REPEATED = 16_384;
/** How far from 1 the length of an embedding may be, by rounding. */
const LENGTH_TOLERANCE = 1e-3;

const Text = z.string().min(1).max(1024);
const Time = z.iso.datetime();
const Section = z.object({ offset: z.int().min(0), bytes: z.int().min(0) });
const Header = z.object({
  fingerprint: Text,
  dimensions: z.int().min(1).max(1 << 16),
  sections: z.object({ quantized: Section, scales: Section, vectors: Section, thumbnails: Section }),
  collections: z.array(z.object({
    collection: Text,
    subjects: z.array(z.object({
      subject: Text,
      metadata: z.custom<Record<string, unknown>>((value) => {
        return value !== null && typeof value === "object" && !Array.isArray(value);
      }),
      expiresAt: Time.nullable(),
      revision: z.string().regex(/^[\w.-]{1,128}$/),
      images: z.array(z.object({
        image: Text,
        createdAt: Time,
        request: z.object({ key: Text, digest: Text }).optional(),
        thumbnail: z.int().min(1).optional(),
      })),
    })),
  })),
});
type Header = z.infer<typeof Header>;
type SectionName = keyof Header["sections"];

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

function sectionsOf(sizes: Record<SectionName, number>): Header["sections"] {
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

function headerOf({ collections, ...model }: GallerySnapshot, sections: Header["sections"]): Uint8Array<ArrayBuffer> {
  const { fingerprint, dimensions } = model;
  const json = new TextEncoder().encode(
    JSON.stringify({ fingerprint, dimensions, sections, collections }, function (key, value) {
      if (key === "embedding" && value instanceof Float32Array) return undefined;
      return key === "thumbnail" && value instanceof Uint8Array ? value.length : value;
    }),
  );
  const bytes = new Uint8Array(aligned(SNAPSHOT_PREFIX + json.length)).fill(0x20);
  bytes.set(new TextEncoder().encode(SNAPSHOT_MAGIC));
  const view = new DataView(bytes.buffer);
  view.setUint32(SNAPSHOT_MAGIC.length, VERSION, true);
  view.setUint32(SNAPSHOT_MAGIC.length + 4, bytes.length - SNAPSHOT_PREFIX, true);
  bytes.set(json, SNAPSHOT_PREFIX);
  return bytes;
}

function* chunksOf(images: ImageRecord[]): Generator<[first: number, ImageRecord[]]> {
  for (let first = 0; first < images.length; first += ROWS_AT_ONCE) {
    yield [first, images.slice(first, first + ROWS_AT_ONCE)];
  }
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

function padding(bytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(aligned(bytes) - bytes);
}

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
  if (version !== VERSION) throw refused(`has the format ${version}, and this version of Triptych reads ${VERSION}`);
  const headerEnd = SNAPSHOT_PREFIX + viewOf(bytes).getUint32(SNAPSHOT_MAGIC.length + 4, true);
  if (headerEnd > SNAPSHOT_PREFIX + MOST_HEADER) throw refused("has a header of more than 256 MiB");
  if (headerEnd % ALIGNMENT !== 0 || headerEnd > bytes.length - SNAPSHOT_DIGEST) {
    throw refused("has a header of a length that cannot be");
  }
  const { data: header, error } = Header.safeParse(parseJson(bytes.subarray(SNAPSHOT_PREFIX, headerEnd)));
  if (header === undefined) {
    const [{ path, message }] = error.issues;
    throw refused(`has a header that cannot be read, at ${path.join(".") || "its start"} (${message})`);
  }
  const fault = faultOfHeader(header, bytes.length - SNAPSHOT_DIGEST - headerEnd);
  if (fault !== null) throw refused(fault);
  const data = bytes.byteOffset % 4 === 0 ? bytes.subarray(headerEnd) : bytes.slice(headerEnd);
  const at = (name: SectionName, size: number) => {
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
function faultOfHeader({ dimensions, sections, collections }: Header, available: number): string | null {
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
    if (bytes !== sizes[name as SectionName]) return `has a section "${name}" of ${bytes} bytes for ${images} images`;
    if (offset % ALIGNMENT !== 0 || offset + bytes > available) {
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
  { fingerprint, dimensions, collections }: Header,
  vectors: Float32Array,
  thumbnails: Uint8Array<ArrayBuffer>,
): GallerySnapshot {
  let row = 0, at = 0;
  const imageOf = ({ thumbnail: size, ...image }: Header["collections"][0]["subjects"][0]["images"][0]) => ({
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

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
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
