import { DatabaseSync } from "node:sqlite";
import { sha256 } from "../../shared/sha256.ts";
import type { CollectionRecord, ImageRecord, SubjectRecord } from "../../shared/snapshot.ts";
import type { Reporter } from "../../trainer/report/progress.ts";
import { UnknownError } from "../../worker/gallery/gallery.ts";
import { isSameEmbedding } from "../../worker/gallery/net_changes.ts";
import { withoutHeld } from "../../worker/gallery/reviews.ts";
import { writeAnew } from "../../worker/gallery/sqlite_erasure.ts";
import { writeSnapshot } from "./export.ts";
import { imagesOf } from "./images.ts";
import { readSnapshot } from "./import.ts";
import { isThere, openExisting } from "./location.ts";
import { tracesIn } from "./traces.ts";

/** Who is forgotten, and where. */
export interface ForgetJob {
  collection: string;
  subject: string;
  gallery?: string | undefined;
  snapshot?: string | undefined;
}

/** What was forgotten in one place, and how that was verified. */
export interface Forgotten {
  /** The gallery's URL or the snapshot's path. */
  store: string;
  /** The ids of the images that were deleted; null if the subject was not there. */
  images: string[] | null;
  /** ISO 8601, UTC */
  deletedAt: string;
  verified: {
    /** Whether the store, opened again, has no such subject. */
    isGone: boolean;
    /** Its files on this machine, and how many traces of embeddings and thumbnails are in each. */
    files: { path: string; bytes: number; traces: number }[];
    /** Others who have an image with the very same embedding, which was not deleted and is not counted. */
    sameEmbedding: { collection: string; subject: string }[];
  };
}

/** What a person who asked to be forgotten can be given. */
export interface Receipt {
  collection: string;
  subject: string;
  stores: Forgotten[];
  /** Where this does not reach. */
  limits: string[];
  /** Of the receipt as JSON without white space and without this member. */
  sha256: string;
}

const LIMITS = [
  "Snapshots that were exported before, copies of the database and backups are not reached: forget the subject there too, with --snapshot, or delete them.",
  "A Postgres server keeps rows that were deleted until it vacuums their table, and longer in its write-ahead log.",
  "Blocks that the file system or the disk has freed are not overwritten.",
  "A worker on a snapshot file that was rewritten goes on with the one before for up to 2 seconds, one on a URL until it is given the new file.",
];

/**
 * Deletes a subject from a gallery and from a snapshot file, and verifies that nothing of it is left there.
 *
 * @param job.gallery the gallery's URL; undefined for that of the environment, or none if there is a snapshot
 * @param job.snapshot the path of a snapshot that is written anew without the subject
 * @throws {UnknownError} if the subject is in neither
 * @throws {GalleryError} if a place cannot be read or written
 */
export async function forget(job: ForgetJob, reporter: Reporter): Promise<Receipt> {
  const { collection, subject, gallery, snapshot } = job;
  const stores: Forgotten[] = [];
  if (gallery !== undefined || snapshot === undefined) {
    stores.push(await forgetInGallery(collection, subject, gallery));
  }
  if (snapshot !== undefined) stores.push(await forgetInFile(collection, subject, snapshot, reporter));
  if (stores.every(({ images }) => images === null)) throw new UnknownError("subject", subject);
  const receipt = { collection, subject, stores, limits: LIMITS };
  return { ...receipt, sha256: await sha256(new TextEncoder().encode(JSON.stringify(receipt))) };
}

/** Whether all that a receipt tells of is gone. */
export function isComplete({ stores }: Receipt): boolean {
  return stores.every(({ verified: { isGone, files } }) => isGone && files.every(({ traces }) => traces === 0));
}

async function forgetInGallery(collection: string, subject: string, url: string | undefined): Promise<Forgotten> {
  const opened = await openExisting(url, "write");
  const record = findIn(await opened.gallery.snapshot(), collection, subject);
  if (record !== undefined) await withoutHeld(opened.gallery).deleteSubject(collection, subject);
  const deletedAt = new Date().toISOString();
  await opened.gallery.close();
  const { gallery, kind, name, files } = await openExisting(url, "write");
  const left = await gallery.snapshot();
  await gallery.close();
  if (kind === "kv" && files.length > 0) writeFileAnew(files[0]);
  return { store: name, ...told(record, deletedAt), verified: await verify(collection, subject, record, left, files) };
}

/** Deno KV leaves what was deleted in its file, an SQLite database, until it needs the place. */
function writeFileAnew(path: string): void {
  // Deno closes its own connection a little later than it says.
  using database = new DatabaseSync(path, { timeout: 5_000 });
  writeAnew(database);
}

async function forgetInFile(
  collection: string,
  subject: string,
  path: string,
  reporter: Reporter,
): Promise<Forgotten> {
  const snapshot = await readSnapshot(path);
  const record = findIn(snapshot.collections, collection, subject);
  if (record !== undefined) {
    const collections = snapshot.collections.map((of) => ({
      ...of,
      subjects: of.subjects.filter((other) => of.collection !== collection || other.subject !== subject),
    }));
    await writeSnapshot(path, { ...snapshot, collections }, reporter);
  }
  const deletedAt = new Date().toISOString();
  const left = (await readSnapshot(path)).collections;
  return { store: path, ...told(record, deletedAt), verified: await verify(collection, subject, record, left, [path]) };
}

function told(record: SubjectRecord | undefined, deletedAt: string): Pick<Forgotten, "images" | "deletedAt"> {
  return { images: record?.images.map(({ image }) => image) ?? null, deletedAt };
}

async function verify(
  collection: string,
  subject: string,
  record: SubjectRecord | undefined,
  left: CollectionRecord[],
  files: string[],
): Promise<Forgotten["verified"]> {
  const others = imagesOf(left);
  const twins = new Map<ImageRecord, typeof others>();
  for (const image of record?.images ?? []) {
    twins.set(image, others.filter((other) => isSameEmbedding(other.image.embedding, image.embedding)));
  }
  const sought = [...twins].filter(([, same]) => same.length === 0).flatMap(([image]) => bytesOf(image));
  const present = [];
  for (const path of files) if (await isThere(path)) present.push(path);
  return {
    isGone: findIn(left, collection, subject) === undefined,
    files: await Promise.all(present.map(async (path) => {
      const { size: bytes } = await Deno.stat(path);
      return { path, bytes, traces: await tracesIn(path, sought) };
    })),
    sameEmbedding: [...twins.values()].flat().map(({ collection, subject }) => ({ collection, subject })),
  };
}

function findIn(collections: CollectionRecord[], collection: string, subject: string): SubjectRecord | undefined {
  return collections.find((of) => of.collection === collection)?.subjects.find((of) => of.subject === subject);
}

/** What must not be left of an image. A thumbnail begins with tables that all have, so its second half tells. */
/** An image as the stores write it. */
function bytesOf({ embedding: { buffer, byteOffset, byteLength }, thumbnail }: ImageRecord): Uint8Array[] {
  const embedding = new Uint8Array(buffer, byteOffset, byteLength);
  return [
    embedding,
    new TextEncoder().encode(embedding.toBase64()),
    ...thumbnail === undefined ? [] : [thumbnail.subarray(thumbnail.length >> 1)],
  ];
}
