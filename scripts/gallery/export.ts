import { GalleryError, messageOf } from "../../shared/errors.ts";
import { replaceFile } from "../../shared/replace_file.ts";
import { encodeSnapshot } from "../../shared/encode_snapshot.ts";
import type { GallerySnapshot } from "../../shared/snapshot.ts";
import type { Reporter } from "../../trainer/report/progress.ts";
import { imagesOf } from "./images.ts";
import type { Opened } from "./location.ts";

/**
 * Writes all that a gallery holds at one moment into a snapshot. Nobody who changes the gallery waits for it.
 *
 * @param mayDecrypt whether the snapshot, which is not encrypted, may be of a gallery that is
 * @returns a sentence on what was written
 * @throws {GalleryError} if the gallery cannot be read, or the file not written; then what was there before still is
 */
export async function exportGallery(
  { gallery, card, isEncrypted, name }: Opened,
  path: string,
  mayDecrypt: boolean,
  reporter: Reporter,
): Promise<string> {
  if (isEncrypted && !mayDecrypt) {
    throw new GalleryError(
      `${name} is encrypted, and a snapshot is not: everyone who can read the file can read what is in it; add --unencrypted if that is meant.`,
    );
  }
  const collections = await gallery.snapshot();
  const { fingerprint, embedding: { dimensions } } = card;
  const bytes = await writeSnapshot(path, { fingerprint, dimensions, collections }, reporter);
  const subjects = collections.reduce((sum, collection) => sum + collection.subjects.length, 0);
  return `Exported ${subjects} subjects with ${imagesOf(collections).length} images to ${path}: ${
    (bytes / 1e6).toFixed(1)
  } MB.`;
}

/**
 * Puts a snapshot in the place of a file: that is there as a whole or, if this fails, as it was.
 *
 * @returns its size, bytes
 * @throws {GalleryError} if it cannot be written
 */
export async function writeSnapshot(path: string, snapshot: GallerySnapshot, reporter: Reporter): Promise<number> {
  const rows = imagesOf(snapshot.collections).length * snapshot.dimensions * 5;
  const bar = reporter.progress("Writing", Math.ceil(rows / 1e6));
  let bytes = 0;
  function* counted() {
    for (const part of encodeSnapshot(snapshot)) {
      yield part;
      bytes += part.length;
      bar.update(Math.min(Math.floor(bytes / 1e6), Math.ceil(rows / 1e6)), "MB");
    }
  }
  try {
    // Embeddings are as secret as the database that they are from.
    await replaceFile(path, counted(), { mode: 0o600 });
  } catch (error) {
    throw new GalleryError(`Cannot write ${path}: ${messageOf(error)}; make room there, or choose another --out.`);
  } finally {
    bar.done();
  }
  return bytes;
}
