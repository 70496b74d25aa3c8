import { z } from "zod";
import { GalleryError } from "./errors.ts";
import { digestHolds, snapshotVersion } from "./decode_snapshot.ts";
import { type GallerySnapshot, SNAPSHOT_DIGEST, SNAPSHOT_PREFIX } from "./snapshot.ts";

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
 * Reads a gallery as former versions kept it, all numbers little-endian: `TRIPTYCH`, 1 (uint32), length of the header
 * (uint32), the header (JSON in UTF-8, thumbnails in base64), the embeddings (`[images, dimensions] float32`, in the order of
 * the header's images), and the SHA-256 of all that comes before it.
 *
 * @param where named in the error
 * @throws {GalleryError} if it is none, or damaged
 */
export async function decodeSnapshotV1(bytes: Uint8Array<ArrayBuffer>, where: string): Promise<GallerySnapshot> {
  const damaged = (what: string) =>
    new GalleryError(`The gallery in ${where} ${what}; restore it from a backup, or move it away to start empty.`);
  if (snapshotVersion(bytes) !== 1) throw damaged("is none of a former version");
  if (!await digestHolds(bytes)) throw damaged("is damaged");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerEnd = SNAPSHOT_PREFIX + view.getUint32(SNAPSHOT_PREFIX - 4, true);
  const header = Header.safeParse(parseJson(bytes.subarray(SNAPSHOT_PREFIX, headerEnd)));
  if (!header.success) throw damaged("has a header that cannot be read");
  const { dimensions } = header.data;
  const vectors = new Float32Array(bytes.slice(headerEnd, -SNAPSHOT_DIGEST).buffer);
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

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
