import { Buffer } from "node:buffer";
import { z } from "zod";
import type { ImageRecord, SubjectRecord } from "../../shared/snapshot.ts";
import type { Sealer, WrappedKey } from "./encryption.ts";

/** The version of this layout. */
export const FORMAT = 1;

/** How many of the last changes are told, so that others read only those; who is further behind reads all. */
export const TOLD_CHANGES = 1_000;

/**
 * Where a gallery's values are in Deno KV. A collection has a generation, and a subject an id, both random: names of
 * subjects are only in values, and what is dropped is out of reach at once, however long it takes to remove.
 */
export const KEYS = {
  /** `GalleryValue` */
  gallery: ["triptych", "gallery"],
  /** How many transactions there were; every one of them checks it. */
  version: ["triptych", "version"],
  /** `ChangeValue` of the transaction that made this version. */
  change: (version: number) => ["triptych", "change", version],
  collections: ["triptych", "collection"],
  /** `CollectionValue` */
  collection: (name: string) => ["triptych", "collection", name],
  subjects: (...place: string[]) => ["triptych", "subject", ...place],
  subject: (generation: string, id: string) => ["triptych", "subject", generation, id],
  images: (...place: string[]) => ["triptych", "image", ...place],
  image: (generation: string, id: string, image: string) => ["triptych", "image", generation, id, image],
  /** The bytes of a JPEG. */
  thumbnail: (generation: string, id: string, image: string) => {
    return ["triptych", "image", generation, id, image, "thumbnail"];
  },
  allGarbage: ["triptych", "garbage"],
  /** Says that all below a generation, or below a subject's id, is to be removed. */
  garbage: (...place: string[]) => ["triptych", "garbage", ...place],
} as const;

/** Of which model a gallery is. */
export interface GalleryValue {
  format: number;
  fingerprint: string;
  dimensions: number;
}

/** Where a collection's subjects are, and the key that they are sealed with, if they are. */
export interface CollectionValue {
  generation: string;
  key?: WrappedKey;
}

/** What a transaction changed. */
export interface ChangeValue {
  /** Whether collections came or went. */
  collections: boolean;
  /** Generations and ids. */
  subjects: [string, string][];
}

/** Where a subject is. */
export interface Place {
  collection: string;
  generation: string;
  id: string;
  sealer: Sealer | undefined;
}

const Head = z.object({
  subject: z.string(),
  metadata: z.record(z.string(), z.unknown()),
  expiresAt: z.string().nullable(),
  revision: z.string(),
});

const Image = z.object({
  /** Images are in the order of it. */
  ordinal: z.number(),
  createdAt: z.string(),
  /** float32, little-endian, in base64 */
  embedding: z.base64(),
  request: z.object({ key: z.string(), digest: z.string() }).optional(),
});

/** The value of a subject without its images: JSON in UTF-8, sealed if the collection has a key. */
export function encodeSubject({ subject, metadata, expiresAt, revision }: SubjectRecord, at: Place): Uint8Array {
  return seal(Buffer.from(JSON.stringify({ subject, metadata, expiresAt, revision })), "subject", at);
}

/** The value of an image without its thumbnail: JSON in UTF-8, sealed if the collection has a key. */
export function encodeImage(record: ImageRecord, ordinal: number, at: Place): Uint8Array {
  const { image, createdAt, request } = record;
  const { buffer, byteOffset, byteLength } = record.embedding;
  const embedding = Buffer.from(buffer, byteOffset, byteLength).toString("base64");
  return seal(Buffer.from(JSON.stringify({ ordinal, createdAt, embedding, request })), "embedding", at, image);
}

/** The value of an image's thumbnail. */
export function encodeThumbnail(thumbnail: Uint8Array, at: Place, image: string): Uint8Array {
  return seal(thumbnail, "thumbnail", at, image);
}

/** What is read of an image: its record without the thumbnail, and what it is ordered by. */
export interface ReadImage {
  ordinal: number;
  record: ImageRecord;
}

/** @throws {Error} if it cannot be read */
export function decodeSubject(value: unknown, at: Place): z.output<typeof Head> {
  return Head.parse(parse(open(value, "subject", at)));
}

/** @throws {Error} if it cannot be read, or has other dimensions */
export function decodeImage(value: unknown, at: Place, image: string, dimensions: number): ReadImage {
  const { ordinal, createdAt, request, embedding: text } = Image.parse(parse(open(value, "embedding", at, image)));
  const embedding = new Float32Array(new Uint8Array(Buffer.from(text, "base64")).buffer);
  if (embedding.length !== dimensions) throw new RangeError(`the image ${image} has ${embedding.length} dimensions`);
  return { ordinal, record: { image, createdAt, embedding, ...request && { request } } };
}

/** @throws {Error} if it cannot be read */
export function decodeThumbnail(value: unknown, at: Place, image: string): Uint8Array<ArrayBuffer> {
  return open(value, "thumbnail", at, image);
}

function seal(bytes: Uint8Array, what: string, { collection, id, sealer }: Place, ...image: string[]): Uint8Array {
  return sealer?.seal(bytes, what, collection, id, ...image) ?? new Uint8Array(bytes);
}

function open(value: unknown, what: string, { collection, id, sealer }: Place, ...image: string[]) {
  if (!(value instanceof Uint8Array)) throw new RangeError(`the ${what} ${id} holds no bytes`);
  return sealer?.open(value, what, collection, id, ...image) ?? new Uint8Array(value);
}

function parse(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(bytes));
}
