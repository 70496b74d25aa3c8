import { dirname } from "node:path";
import { GalleryError, messageOf } from "../../shared/errors.ts";

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
 * Replaces a file so that after a crash at any moment there is either the old one or the new one as a whole: written under
 * another name, flushed to the disk, renamed.
 *
 * @throws {GalleryError} if it cannot be written; then the old one is still there
 */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.new`;
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    const file = await Deno.open(temporary, { write: true, create: true, truncate: true, mode: 0o600 });
    try {
      for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
      await file.sync();
    } finally {
      file.close();
    }
    await Deno.rename(temporary, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    throw new GalleryError(
      `Cannot write the gallery in ${path}: ${
        messageOf(error)
      }; make room there, or set TRIPTYCH_GALLERY to another file.`,
    );
  }
}

/** Makes the renaming itself durable. Windows has no such call and needs none. */
async function syncDirectory(path: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  using directory = await Deno.open(path);
  await directory.sync();
}
