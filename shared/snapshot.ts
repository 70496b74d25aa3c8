import { z } from "zod";
import { GalleryError } from "./errors.ts";

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

/** A whole gallery. */
export interface GallerySnapshot {
  /** The model that all embeddings are of. */
  fingerprint: string;
  dimensions: number;
  collections: { collection: string; subjects: SubjectRecord[] }[];
}

const MAGIC = "TRIPTYCH";
const VERSION = 1;
const PREFIX = MAGIC.length + 8;
const DIGEST = 32;

const Header = z.object({
  fingerprint: z.string(),
  dimensions: z.int().min(1),
  collections: z.array(z.object({
    collection: z.string(),
    subjects: z.array(z.object({
      subject: z.string(),
      metadata: z.custom<Record<string, unknown>>((value) => value !== null && typeof value === "object"),
      expiresAt: z.string().nullable(),
      revision: z.string(),
      images: z.array(z.object({
        image: z.string(),
        createdAt: z.string(),
        request: z.object({ key: z.string(), digest: z.string() }).optional(),
        thumbnail: z.base64().transform((text) => Uint8Array.fromBase64(text)).optional(),
      })),
    })),
  })),
});

/**
 * Writes a gallery as bytes, all numbers little-endian: `TRIPTYCH`, version (uint32), length of the header (uint32), the
 * header (JSON in UTF-8, thumbnails in base64, filled with spaces to a multiple of 4), the embeddings
 * (`[images, dimensions] float32`, in the order of the header's images), and the SHA-256 of all that comes before it.
 */
export async function encodeSnapshot(snapshot: GallerySnapshot): Promise<Uint8Array<ArrayBuffer>> {
  const embeddings: Float32Array[] = [];
  const json = new TextEncoder().encode(JSON.stringify(snapshot, (key, value) => {
    if (key === "thumbnail" && value instanceof Uint8Array) return value.toBase64();
    if (key !== "embedding" || !(value instanceof Float32Array)) return value;
    embeddings.push(value);
    return undefined;
  }));
  const headerLength = Math.ceil(json.length / 4) * 4;
  const bytes = new Uint8Array(PREFIX + headerLength + embeddings.length * snapshot.dimensions * 4 + DIGEST);
  bytes.set(new TextEncoder().encode(MAGIC));
  const view = new DataView(bytes.buffer);
  view.setUint32(MAGIC.length, VERSION, true);
  view.setUint32(MAGIC.length + 4, headerLength, true);
  bytes.fill(0x20, PREFIX, PREFIX + headerLength).set(json, PREFIX);
  const vectors = new Float32Array(bytes.buffer, PREFIX + headerLength, embeddings.length * snapshot.dimensions);
  embeddings.forEach((embedding, i) => vectors.set(embedding, i * snapshot.dimensions));
  bytes.set(await sha256(bytes.subarray(0, -DIGEST)), bytes.length - DIGEST);
  return bytes;
}

/**
 * Reads what `encodeSnapshot` wrote. The embeddings are views of one copy of the bytes.
 *
 * @param where named in the error
 * @throws {GalleryError} if it is no snapshot, of a later version, or if as much as one bit was changed
 */
export async function decodeSnapshot(bytes: Uint8Array<ArrayBuffer>, where: string): Promise<GallerySnapshot> {
  const damaged = (what: string) =>
    new GalleryError(`The gallery in ${where} ${what}; restore it from a backup, or move it away to start empty.`);
  if (bytes.length < PREFIX + DIGEST || new TextDecoder().decode(bytes.subarray(0, MAGIC.length)) !== MAGIC) {
    throw damaged("is no snapshot of a gallery");
  }
  const digest = await sha256(bytes.subarray(0, -DIGEST));
  if (!digest.every((byte, i) => byte === bytes[bytes.length - DIGEST + i])) throw damaged("is damaged");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint32(MAGIC.length, true);
  if (version !== VERSION) throw damaged(`has the format ${version}, and this version of Triptych reads ${VERSION}`);
  const headerEnd = PREFIX + view.getUint32(MAGIC.length + 4, true);
  const header = Header.safeParse(parseJson(bytes.subarray(PREFIX, headerEnd)));
  if (!header.success) throw damaged("has a header that cannot be read");
  const { dimensions } = header.data;
  const vectors = new Float32Array(bytes.slice(headerEnd, -DIGEST).buffer);
  let row = 0;
  const collections = header.data.collections.map(({ collection, subjects }) => ({
    collection,
    subjects: subjects.map((subject) => ({
      ...subject,
      images: subject.images.map((image) => ({
        ...image,
        embedding: vectors.subarray(row * dimensions, ++row * dimensions),
      })),
    })),
  }));
  if (row * dimensions !== vectors.length) throw damaged("does not hold as many embeddings as its header says");
  return { ...header.data, collections };
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
