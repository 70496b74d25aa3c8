import { basename, dirname, join } from "node:path";
import { GalleryError, messageOf } from "../../shared/errors.ts";
import { replaceFile } from "../../shared/replace_file.ts";
import { StorageFullError } from "./gallery.ts";

/**
 * Reads a file as a whole.
 *
 * @returns null if there is none
 * @throws {GalleryError} if it is there and cannot be read
 */
export async function readIfThere(path: string): Promise<Uint8Array<ArrayBuffer> | null> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw new GalleryError(
      `Cannot read the gallery in ${path}: ${
        messageOf(error)
      }; set TRIPTYCH_GALLERY to a file that can be read and written.`,
    );
  }
}

/**
 * Replaces the snapshot, durably.
 *
 * @throws {StorageFullError} if there is no room for it beside the old one
 * @throws {GalleryError} if it cannot be written for another reason; in both cases the old one is still there
 */
export async function replaceSnapshot(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await replaceFile(path, [bytes], { mode: 0o600 });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOSPC") throw new StorageFullError(path);
    throw new GalleryError(
      `Cannot write the gallery in ${path}: ${
        messageOf(error)
      }; make room there, or set TRIPTYCH_GALLERY to another file.`,
    );
  }
}

/** Removes what processes that ended while they wrote a file have left beside it. Only for who holds the file's lock. */
export async function removeLeftovers(path: string): Promise<void> {
  const folder = dirname(path), start = `${basename(path)}.`;
  for await (const { name } of Deno.readDir(folder)) {
    if (name.startsWith(start) && /^\d+\.new$/.test(name.slice(start.length))) await Deno.remove(join(folder, name));
  }
}
