import { readFile, rm, stat } from "node:fs/promises";
import type { Card } from "../../shared/card.ts";
import { GalleryError, messageOf } from "../../shared/errors.ts";
import type { GallerySnapshot } from "../../shared/snapshot.ts";
import { decodeSnapshotV1 } from "../../shared/snapshot_v1.ts";
import type { Log } from "../middleware/request_log.ts";
import type { Gallery } from "./gallery.ts";
import { openKvGallery } from "./kv.ts";
import { emptyGallery, emptySnapshot } from "./memory.ts";
import { checkModel } from "./model_check.ts";
import { openSnapshotGallery } from "./snapshot.ts";
import { snapshotSource } from "./snapshot_source.ts";
import { openSqliteGallery } from "./sqlite.ts";

/** Where a gallery lives: in memory alone, in a database, on a server, or in a snapshot that is served and not changed. */
export type GalleryLocation =
  | { kind: "memory" }
  /** A path, or an `http:` or `https:` URL. */
  | { kind: "snapshot"; location: string }
  /**
   * `former` is the file of a former version that a new database takes over, and that is removed then; `isOnlyRead` keeps
   * others from waiting for who changes nothing.
   */
  | { kind: "sqlite"; path: string; former?: string; isOnlyRead?: boolean; key?: MasterKey }
  /** Without a path, the runtime's own. */
  | { kind: "kv"; path: string | undefined; key?: MasterKey }
  /** Searches go to the replicas, which follow the database of the URL. */
  | { kind: "postgres"; url: string; replicas: string[] };

/** With which a gallery is encrypted, if it is: 32 bytes. */
type MasterKey = Uint8Array | undefined;

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
      return await openDatabase(location, emptySnapshot(card));
    case "kv":
      return await openKvGallery({ ...location, model: emptySnapshot(card) });
    case "postgres": {
      // The driver is loaded by who needs it.
      const { openPostgresGallery } = await import("./postgres.ts");
      return await openPostgresGallery({ ...location, model: emptySnapshot(card) });
    }
    case "snapshot":
      return await openSnapshotGallery(snapshotSource(location.location), card, log);
  }
}

/** Of several processes that find the former file at once, the first to make the database takes it over. */
async function openDatabase(
  { path, former, isOnlyRead = false, key }: Extract<GalleryLocation, { kind: "sqlite" }>,
  empty: GallerySnapshot,
): Promise<Gallery> {
  if (former === undefined || await isThere(path) || !await isThere(former)) {
    return openSqliteGallery(path, empty, { key, isWrittenAnew: !isOnlyRead });
  }
  const bytes = await readFile(former).catch((error) => {
    // Another process has taken it over meanwhile.
    if (error.code === "ENOENT") return null;
    throw new GalleryError(`Cannot read the gallery in ${former}: ${messageOf(error)}; make it readable.`);
  });
  if (bytes === null) return openSqliteGallery(path, empty, { key });
  const snapshot = await decodeSnapshotV1(new Uint8Array(bytes), former);
  checkModel(former, snapshot.fingerprint, empty.fingerprint);
  const gallery = await openSqliteGallery(path, snapshot, { key });
  await rm(former, { force: true });
  return gallery;
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(() => true, () => false);
}
