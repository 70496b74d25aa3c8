import type { Card } from "../../shared/card.ts";
import { GalleryError } from "../../shared/errors.ts";
import { decodeSnapshot, encodeSnapshot, type GallerySnapshot } from "../../shared/snapshot.ts";
import type { Gallery } from "./gallery.ts";
import { lockFile } from "./lock_file.ts";
import { createMemoryGallery, emptyGallery, emptySnapshot } from "./memory.ts";
import { readIfThere, removeLeftovers, replaceSnapshot } from "./snapshot_file.ts";

/** Where a gallery lives: in memory alone, or in memory and a snapshot file. */
export type GalleryLocation = { kind: "memory" } | { kind: "snapshot"; path: string };

/**
 * Opens a gallery for a model. A snapshot file is this process's alone until the gallery is closed: each worker writes it as
 * a whole, and two would undo each other's changes.
 *
 * @throws {GalleryError} if the snapshot is in use, is damaged, is of another model, or cannot be written
 */
export async function openGallery(
  location: GalleryLocation,
  card: Pick<Card, "fingerprint" | "embedding">,
): Promise<Gallery> {
  if (location.kind === "memory") return emptyGallery(card);
  const { path } = location;
  const lock = await lockFile(path);
  try {
    const gallery = await openSnapshot(path, card.fingerprint, emptySnapshot(card));
    const close = async () => {
      try {
        await gallery.close();
      } finally {
        lock[Symbol.dispose]();
      }
    };
    return { ...gallery, close };
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}

async function openSnapshot(path: string, fingerprint: string, empty: GallerySnapshot): Promise<Gallery> {
  const bytes = await readIfThere(path);
  const snapshot = bytes === null ? empty : await decodeSnapshot(bytes, path);
  if (snapshot.fingerprint !== fingerprint) {
    throw new GalleryError(
      `The gallery in ${path} was enrolled with the model ${short(snapshot.fingerprint)}, and this worker runs ${
        short(fingerprint)
      }; set TRIPTYCH_MODEL to that model, or set TRIPTYCH_GALLERY to another file and enrol again.`,
    );
  }
  const persist = async (snapshot: GallerySnapshot) => replaceSnapshot(path, await encodeSnapshot(snapshot));
  await removeLeftovers(path);
  // A disk that cannot be written is found here rather than at the first enrolment.
  if (bytes === null) await persist(empty);
  return createMemoryGallery({ snapshot, persist });
}

function short(fingerprint: string): string {
  return fingerprint.slice(0, 19);
}
