import type { Card } from "../../shared/card.ts";
import { GalleryError } from "../../shared/errors.ts";
import { decodeSnapshot, encodeSnapshot, type GallerySnapshot } from "../../shared/snapshot.ts";
import type { Gallery } from "./gallery.ts";
import { createMemoryGallery } from "./memory.ts";
import { readIfThere, replaceFile } from "./snapshot_file.ts";

/** Where a gallery lives: in memory alone, or in memory and a snapshot file. */
export type GalleryLocation = { kind: "memory" } | { kind: "snapshot"; path: string };

/**
 * Opens a gallery for a model.
 *
 * @throws {GalleryError} if the snapshot is damaged, is of another model, or cannot be written
 */
export async function openGallery(
  location: GalleryLocation,
  card: Pick<Card, "fingerprint" | "embedding">,
): Promise<Gallery> {
  const empty = { fingerprint: card.fingerprint, dimensions: card.embedding.dimensions, collections: [] };
  if (location.kind === "memory") return createMemoryGallery({ snapshot: empty });
  const { path } = location;
  const bytes = await readIfThere(path);
  const snapshot = bytes === null ? empty : await decodeSnapshot(bytes, path);
  if (snapshot.fingerprint !== card.fingerprint) {
    throw new GalleryError(
      `The gallery in ${path} was enrolled with the model ${short(snapshot.fingerprint)}, and this worker runs ${
        short(card.fingerprint)
      }; set TRIPTYCH_MODEL to that model, or set TRIPTYCH_GALLERY to another file and enrol again.`,
    );
  }
  const persist = async (snapshot: GallerySnapshot) => replaceFile(path, await encodeSnapshot(snapshot));
  // A disk that cannot be written is found here rather than at the first enrolment.
  if (bytes === null) await persist(empty);
  return createMemoryGallery({ snapshot, persist });
}

function short(fingerprint: string): string {
  return fingerprint.slice(0, 19);
}
