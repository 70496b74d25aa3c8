import { z } from "zod";

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

/** The version of the format that is written. */
export const SNAPSHOT_VERSION = 2;

/** Sections begin at multiples of it, bytes. */
export const SNAPSHOT_ALIGNMENT = 64;

const Text = z.string().min(1).max(1024);
const Time = z.iso.datetime();
const Section = z.object({ offset: z.int().min(0), bytes: z.int().min(0) });
/** The header of a snapshot, as `docs/snapshot-format.md` describes it. */
export const SnapshotHeader = z.object({
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
export type SnapshotHeader = z.infer<typeof SnapshotHeader>;

/** The name of a section. */
export type SnapshotSection = keyof SnapshotHeader["sections"];
