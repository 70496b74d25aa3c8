import { dirname } from "node:path";
import { GalleryError, messageOf } from "../../shared/errors.ts";

/** How long a worker that was told to stop may still hold the lock: a bit more than it gives to requests under way. */
const PATIENCE_MILLISECONDS = 3_500;

/**
 * Makes this process the only one that keeps a gallery in a file. The lock is the system's, on a file beside it that stays:
 * however this process ends, it holds nothing any more.
 *
 * @param path the file of the gallery
 * @returns what lets go of it when it is disposed of
 * @throws {GalleryError} if another process holds it and keeps it, or the lock's file cannot be made
 */
export async function lockFile(path: string): Promise<Disposable> {
  const file = await openLock(path);
  // FsFile.tryLock is not in Deno 2.5: an attempt that is given up on ends when the process does, or gets the lock of a
  // file that is closed.
  const attempt = file.lock(true).then(() => true);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLong = new Promise<false>((resolve) => timer = setTimeout(() => resolve(false), PATIENCE_MILLISECONDS));
  try {
    if (await Promise.race([attempt, tooLong])) return file;
  } catch (error) {
    file.close();
    throw cannotLock(path, error);
  } finally {
    clearTimeout(timer);
  }
  attempt.catch(() => {});
  file.close();
  throw new GalleryError(
    `The gallery in ${path} is in use by another worker; stop that one, or set TRIPTYCH_GALLERY to another file.`,
  );
}

async function openLock(path: string): Promise<Deno.FsFile> {
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    return await Deno.open(`${path}.lock`, { write: true, create: true, mode: 0o600 });
  } catch (error) {
    throw cannotLock(path, error);
  }
}

function cannotLock(path: string, error: unknown): GalleryError {
  return new GalleryError(
    `Cannot lock the gallery in ${path}: ${
      messageOf(error)
    }; set TRIPTYCH_GALLERY to a file in a folder that can be written.`,
  );
}
