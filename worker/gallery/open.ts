import type { Card } from "../../shared/card.ts";
import { decodeSnapshot, encodeSnapshot, type GallerySnapshot } from "../../shared/snapshot.ts";
import type { Gallery } from "./gallery.ts";
import { lockFile } from "./lock_file.ts";
import { createMemoryGallery, emptyGallery, emptySnapshot } from "./memory.ts";
import { checkModel } from "./model_check.ts";
import type { Model } from "./postgres_tables.ts";
import { readIfThere, removeLeftovers, replaceSnapshot } from "./snapshot_file.ts";
import { openSqliteGallery } from "./sqlite.ts";

/** Where a gallery lives: in memory alone, in a database, on a server, or in memory and a snapshot file. */
export type GalleryLocation =
  | { kind: "memory" }
  | { kind: "snapshot"; path: string }
  /** `former` is a snapshot file that a new database takes over, and that is removed then. */
  | { kind: "sqlite"; path: string; former?: string }
  /** Searches go to the replicas, which follow the database of the URL. */
  | { kind: "postgres"; url: string; replicas: string[] };

/**
 * Opens a gallery for a model. A snapshot file is this process's alone until the gallery is closed: each worker writes it as
 * a whole, and two would undo each other's changes. A database may be shared.
 *
 * @throws {GalleryError} if the file is in use, is damaged, is of another model, or cannot be written
 */
export async function openGallery(
  location: GalleryLocation,
  card: Pick<Card, "fingerprint" | "embedding">,
): Promise<Gallery> {
  const empty = emptySnapshot(card);
  switch (location.kind) {
    case "memory":
      return emptyGallery(card);
    case "sqlite":
      return await openDatabase(location, empty);
    case "postgres":
      return await openServer(location, empty);
    case "snapshot":
      return await openSnapshot(location.path, empty);
  }
}

/** A gallery on a Postgres server, whose driver nobody else loads. */
export async function openServer(
  { url, replicas }: Extract<GalleryLocation, { kind: "postgres" }>,
  model: Model,
): Promise<Gallery> {
  const { openPostgresGallery } = await import("./postgres.ts");
  return await openPostgresGallery({ url, replicas, model });
}

async function openDatabase(
  { path, former }: Extract<GalleryLocation, { kind: "sqlite" }>,
  empty: GallerySnapshot,
): Promise<Gallery> {
  if (former === undefined || await isThere(path) || !await isThere(former)) return openSqliteGallery(path, empty);
  using _lock = await lockFile(former);
  // Another worker may have taken it over while this one waited for the lock.
  const snapshot = await readSnapshot(former, empty.fingerprint);
  const gallery = await openSqliteGallery(path, snapshot ?? empty);
  if (snapshot !== null) await Deno.remove(former);
  return gallery;
}

async function openSnapshot(path: string, empty: GallerySnapshot): Promise<Gallery> {
  const lock = await lockFile(path);
  try {
    const snapshot = await readSnapshot(path, empty.fingerprint);
    const persist = async (snapshot: GallerySnapshot) => replaceSnapshot(path, await encodeSnapshot(snapshot));
    await removeLeftovers(path);
    // A disk that cannot be written is found here rather than at the first enrolment.
    if (snapshot === null) await persist(empty);
    const gallery = createMemoryGallery({ snapshot: snapshot ?? empty, persist });
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

/** @returns null if there is none */
async function readSnapshot(path: string, fingerprint: string): Promise<GallerySnapshot | null> {
  const bytes = await readIfThere(path);
  if (bytes === null) return null;
  const snapshot = await decodeSnapshot(bytes, path);
  checkModel(path, snapshot.fingerprint, fingerprint);
  return snapshot;
}

function isThere(path: string): Promise<boolean> {
  return Deno.stat(path).then(() => true, () => false);
}
