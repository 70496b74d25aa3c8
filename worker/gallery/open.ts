import { readFile, rm, stat } from "node:fs/promises";
import type { Card } from "../../shared/card.ts";
import { decodeSnapshotV1 } from "../../shared/snapshot_v1.ts";
import type { Log } from "../middleware/request_log.ts";
import type { Gallery } from "./gallery.ts";
import { emptyGallery, emptySnapshot } from "./memory.ts";
import { checkModel } from "./model_check.ts";
import { openSnapshotGallery } from "./snapshot.ts";
import { snapshotSource } from "./snapshot_source.ts";
import { openSqliteGallery } from "./sqlite.ts";

/** Where a gallery lives: in memory alone, in a database, or in a snapshot that is served and not changed. */
export type GalleryLocation =
  | { kind: "memory" }
  /** A path, or an `http:` or `https:` URL. */
  | { kind: "snapshot"; location: string }
  /** `former` is the file of a former version that a new database takes over, and that is removed then. */
  | { kind: "sqlite"; path: string; former?: string };

/**
 * Opens a gallery for a model. Several processes may open the same one.
 *
 * @param log told of new versions of a snapshot
 * @throws {GalleryError} if it is damaged, is of another model, or cannot be read, or written where it is written
 */
export async function openGallery(
  location: GalleryLocation,
  card: Pick<Card, "fingerprint" | "embedding">,
  log: Log = () => {},
): Promise<Gallery> {
  switch (location.kind) {
    case "memory":
      return emptyGallery(card);
    case "sqlite":
      return await openDatabase(location, card);
    case "snapshot":
      return await openSnapshotGallery(snapshotSource(location.location), card, log);
  }
}

/** Of several processes that find the former file at once, the first to make the database takes it over. */
async function openDatabase(
  { path, former }: Extract<GalleryLocation, { kind: "sqlite" }>,
  card: Pick<Card, "fingerprint" | "embedding">,
): Promise<Gallery> {
  const empty = emptySnapshot(card);
  if (former === undefined || await isThere(path) || !await isThere(former)) return openSqliteGallery(path, empty);
  const bytes = await readFile(former).catch(() => null);
  // Another process has taken it over meanwhile.
  if (bytes === null) return openSqliteGallery(path, empty);
  const snapshot = await decodeSnapshotV1(new Uint8Array(bytes), former);
  checkModel(former, snapshot.fingerprint, card.fingerprint);
  const gallery = await openSqliteGallery(path, snapshot);
  await rm(former, { force: true });
  return gallery;
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(() => true, () => false);
}
