import type { DatabaseSync } from "node:sqlite";
import { closeSync } from "node:fs";
import { GalleryError, messageOf } from "../../shared/errors.ts";
import type { GallerySnapshot } from "../../shared/snapshot.ts";
import { checkKey, createKeyRing, type KeyRing } from "./encryption.ts";
import { DEFAULT_COLLECTION, type Gallery, StorageFullError } from "./gallery.ts";
import { createIndexedGallery } from "./indexed.ts";
import { checkModel } from "./model_check.ts";
import { makePrivateFile, saysFull } from "./private_file.ts";
import { Records, recordsOf } from "./records.ts";
import { eraseTraces, writeAnew } from "./sqlite_erasure.ts";
import {
  APPLICATION_ID,
  erases,
  FORMATS,
  insertCollection,
  KEYS_SCHEMA,
  NOTHING_READ,
  readChanges,
  SCHEMA,
  someKey,
  writeJournal,
} from "./sqlite_tables.ts";

/** How long a transaction waits for those of other processes, each of which takes about a millisecond. */
const PATIENCE_MILLISECONDS = 5_000;

/** What SQLite says of a file that is damaged, and of one that is no database; Deno gives no code with it. */
const DAMAGED = /malformed|not a database/;

/** How a database is opened. */
export interface SqliteGalleryOptions {
  /** The master key, of a gallery that is encrypted: embeddings, thumbnails and metadata are. */
  key?: Uint8Array | undefined;
  /** Milliseconds since 1970; default the clock. */
  now?: () => number;
  /** Default true. False for who only reads: to write a large database anew holds up all others that write. */
  isWrittenAnew?: boolean;
}

/**
 * A gallery in an SQLite database, which several processes may share: a change of one is there for the next read of every
 * other. The database is in WAL mode, flushed to the disk at every change, and overwrites what is deleted; it is written
 * anew when it is opened, and where something of what was deleted is left in it.
 *
 * @param path made, with its folder, if it is not there
 * @param initial what a new database holds at first; also says of which model the gallery is
 * @throws {GalleryError} if the runtime has no SQLite, or the file is damaged, is of another model, has another key or
 * cannot be written
 */
export async function openSqliteGallery(
  path: string,
  initial: GallerySnapshot,
  { key, now = Date.now, isWrittenAnew = true }: SqliteGalleryOptions = {},
): Promise<Gallery> {
  const { DatabaseSync } = await loadSqlite();
  const keys = key && createKeyRing(key);
  let database: DatabaseSync | undefined, file: number | undefined;
  try {
    // Stays open as long as the database: to close it would take SQLite's locks from this process.
    file = makePrivateFile(path);
    database = new DatabaseSync(path);
    prepare(database, path, initial, keys);
    if (isWrittenAnew) writeAnew(database);
    return createGallery(database, { path, file, keys, now });
  } catch (error) {
    database?.close();
    if (file !== undefined) closeSync(file);
    throw asGalleryError("open", path, error);
  }
}

function createGallery(
  database: DatabaseSync,
  { path, file, keys, now }: { path: string; file: number; keys: KeyRing | undefined; now: () => number },
): Gallery {
  const records = new Records(now);
  const dataVersion = database.prepare("PRAGMA data_version");
  let read = NOTHING_READ, seen: unknown;

  function refresh(): void {
    try {
      const version = dataVersion.get()?.data_version;
      if (version === seen) return;
      read = inTransaction(database, "DEFERRED", () => readChanges(database, records, read, keys));
      seen = version;
    } catch (error) {
      records.undoTo(0);
      throw asGalleryError("read", path, error);
    }
  }

  // deno-lint-ignore require-await
  async function transact(make: () => void): Promise<void> {
    try {
      read = inTransaction(database, "IMMEDIATE", () => {
        read = readChanges(database, records, read, keys);
        make();
        if (records.mark === 0) return read;
        records.purge();
        return writeJournal(database, records.journal, read, keys);
      });
    } catch (error) {
      throw asGalleryError("write", path, error);
    }
    if (records.journal.some(erases)) eraseTraces(database, file, records.journal, keys !== undefined);
  }

  function close(): void {
    database.close();
    closeSync(file);
  }

  refresh();
  return createIndexedGallery({ records, store: { refresh, transact, close }, now });
}

/** Sets a connection up, and makes the tables if there are none. */
function prepare(database: DatabaseSync, path: string, initial: GallerySnapshot, keys: KeyRing | undefined): void {
  database.exec(`PRAGMA busy_timeout = ${PATIENCE_MILLISECONDS}`);
  if (!isNew(database)) checkFormat(database, path);
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA foreign_keys = ON");
  inTransaction(database, "IMMEDIATE", () => {
    const isEmpty = isNew(database);
    database.exec(KEYS_SCHEMA);
    if (!isEmpty) return;
    database.exec(SCHEMA);
    database.exec(`PRAGMA user_version = ${keys ? FORMATS.sealed : FORMATS.plain}`);
    database.prepare("INSERT INTO gallery VALUES (?, ?, 0, 0)").run(initial.fingerprint, initial.dimensions);
    insertCollection(database, DEFAULT_COLLECTION, keys);
    writeJournal(database, recordsOf(initial, () => -Infinity).journal, NOTHING_READ, keys);
  });
  if (database.prepare("PRAGMA quick_check(1)").get()?.quick_check !== "ok") throw damaged(path);
  checkModel(path, String(database.prepare("SELECT fingerprint FROM gallery").get()?.fingerprint), initial.fingerprint);
  checkKey(path, someKey(database), keys);
}

function isNew(database: DatabaseSync): boolean {
  return database.prepare("SELECT count(*) AS tables FROM sqlite_schema").get()?.tables === 0;
}

/** Comes before anything is written, so that a file of something else stays as it is. */
function checkFormat(database: DatabaseSync, path: string): void {
  if (database.prepare("PRAGMA application_id").get()?.application_id !== APPLICATION_ID) {
    throw new GalleryError(`${path} is a database of something else; set TRIPTYCH_GALLERY to another file.`);
  }
  const format = database.prepare("PRAGMA user_version").get()?.user_version;
  if (format !== FORMATS.plain && format !== FORMATS.sealed) {
    throw new GalleryError(
      `The gallery in ${path} has the format ${format}, and this version of Triptych reads up to ${FORMATS.sealed}; run the version that wrote it, or set TRIPTYCH_GALLERY to another file.`,
    );
  }
}

/** @param kind IMMEDIATE to write: no other process can then write before the end */
function inTransaction<T>(database: DatabaseSync, kind: "IMMEDIATE" | "DEFERRED", work: () => T): T {
  database.exec(`BEGIN ${kind}`);
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    try {
      database.exec("ROLLBACK");
    } catch {
      // SQLite did it itself.
    }
    throw error;
  }
}

async function loadSqlite(): Promise<typeof import("node:sqlite")> {
  try {
    return await import("node:sqlite");
  } catch {
    throw new GalleryError(
      "This runtime has no SQLite; run the worker on Deno 2.5 or Node 22.13 or later, or set TRIPTYCH_GALLERY to memory:.",
    );
  }
}

function damaged(path: string): GalleryError {
  return new GalleryError(
    `The gallery in ${path} is damaged; restore it from a backup, or move it away, with the files of the same name and -wal and -shm, to start empty.`,
  );
}

function asGalleryError(
  what: "open" | "read" | "write",
  path: string,
  error: unknown,
): GalleryError | StorageFullError {
  if (error instanceof GalleryError) return error;
  if (what === "write" && saysFull(messageOf(error))) return new StorageFullError(path);
  if (DAMAGED.test(messageOf(error)) || error instanceof RangeError || error instanceof SyntaxError) {
    return damaged(path);
  }
  return new GalleryError(
    `Cannot ${what} the gallery in ${path}: ${
      messageOf(error)
    }; set TRIPTYCH_GALLERY to a file that can be written, and make room there.`,
  );
}
