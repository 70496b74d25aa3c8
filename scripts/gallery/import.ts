import { GalleryError, messageOf } from "../../shared/errors.ts";
import { decodeSnapshot, snapshotVersion } from "../../shared/decode_snapshot.ts";
import type { CollectionRecord, GallerySnapshot, SubjectRecord } from "../../shared/snapshot.ts";
import { decodeSnapshotV1 } from "../../shared/snapshot_v1.ts";
import type { Reporter } from "../../trainer/report/progress.ts";
import type { Gallery } from "../../worker/gallery/gallery.ts";
import { openGallery } from "../../worker/gallery/open.ts";
import { configWith } from "./location.ts";

/** How many subjects share a write. */
const BATCH = 512;

/**
 * Puts all that a snapshot holds into a gallery, which is made if it is not there: the same again changes nothing, and what
 * was stopped goes on with the same command.
 *
 * @param from the snapshot's path, of this format or of a former version
 * @param replace whether the gallery afterwards holds what the snapshot holds and nothing else
 * @returns a sentence on what was imported
 * @throws {GalleryError} if the snapshot or the gallery cannot be used, or they are of different models
 */
export async function importGallery(
  url: string | undefined,
  from: string,
  replace: boolean,
  reporter: Reporter,
): Promise<string> {
  const { gallery: location } = configWith(url, "write");
  const { fingerprint, dimensions, collections } = await readSnapshot(from);
  const gallery = await openGallery(location, { fingerprint, embedding: { dimensions, metric: "euclidean" } });
  const total = collections.reduce((sum, { subjects }) => sum + subjects.length, 0);
  const bar = reporter.progress("Importing", total);
  let done = 0;
  try {
    for (const { collection, subjects } of collections) {
      await gallery.putCollection(collection);
      for (let at = 0; at < subjects.length; at += BATCH) {
        const batch = subjects.slice(at, at + BATCH);
        await gallery.restore(collection, batch.filter(isLiving), replace);
        bar.update(done += batch.length, "subjects");
      }
    }
    const removed = replace ? await removeOthers(gallery, collections) : 0;
    return `Imported ${total} subjects from ${from}${replace ? `; ${removed} others were deleted` : ""}.`;
  } finally {
    bar.done();
    await gallery.close();
  }
}

/**
 * Reads a snapshot of this format or of a former version.
 *
 * @throws {GalleryError} if it cannot be read or is damaged
 */
export async function readSnapshot(path: string): Promise<GallerySnapshot> {
  const bytes = await Deno.readFile(path).catch((error) => {
    throw new GalleryError(`Cannot read the snapshot in ${path}: ${messageOf(error)}; check the path.`);
  });
  return snapshotVersion(bytes) === 1 ? await decodeSnapshotV1(bytes, path) : await decodeSnapshot(bytes, path);
}

/** @returns how many subjects were deleted */
async function removeOthers(gallery: Gallery, kept: readonly CollectionRecord[]): Promise<number> {
  const names = new Map(kept.map(({ collection, subjects }) => [collection, new Set(subjects.map((s) => s.subject))]));
  let removed = 0;
  for (const { collection, subjects } of await gallery.snapshot()) {
    const others = subjects.filter(({ subject }) => !names.get(collection)?.has(subject));
    removed += others.length;
    if (!names.has(collection)) await gallery.deleteCollection(collection);
    else await Promise.all(others.map(({ subject }) => gallery.deleteSubject(collection, subject)));
  }
  return removed;
}

function isLiving({ expiresAt }: SubjectRecord): boolean {
  return expiresAt === null || Date.parse(expiresAt) > Date.now();
}
