import type { DatabaseSync } from "node:sqlite";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { GalleryError, messageOf } from "../../shared/errors.ts";
import type { GallerySnapshot } from "../../shared/snapshot.ts";
import { DEFAULT_COLLECTION, type Gallery, StorageFullError } from "./gallery.ts";
import { createIndexedGallery } from "./indexed.ts";
import { checkModel } from "./model_check.ts";
import { Records, recordsOf } from "./records.ts";
import { APPLICATION_ID, erases, FORMAT, NOTHING_READ, readChanges, SCHEMA, writeJournal } from "./sqlite_tables.ts";

/** How long a transaction waits for those of other processes, each of which takes about a millisecond. */
const PATIENCE_MILLISECONDS = 5_000;

/** What SQLite says of a file that is damaged, and of one that is no database; Deno gives no code with it. */
const DAMAGED = /malformed|not a database/;

/** What it says when it cannot make a file longer. */
const FULL = /database or disk is full/;

/**
 * A gallery in an SQLite database, which several processes may share: a change of one is there for the next read of every
 * other. The database is in WAL mode, flushed to the disk at every change, overwrites what is deleted, and is written anew
 * whenever it is opened.
 *
 * @param path made, with its folder, if it is not there
 * @param initial what a new database holds at first; also says of which model the gallery is
 * @param now milliseconds since 1970
 * @throws {GalleryError} if the runtime has no SQLite, or the file is damaged, is of another model or cannot be written
 */
export async function openSqliteGallery(path: string, initial: GallerySnapshot, now = Date.now): Promise<Gallery> {
  const { DatabaseSync } = await loadSqlite();
  let database: DatabaseSync | undefined;
  try {
    makeFile(path);
    database = new DatabaseSync(path);
    prepare(database, path, initial);
    return createGallery(database, path, now);
  } catch (error) {
    database?.close();
    throw asGalleryError("open", path, error);
  }
}

function createGallery(database: DatabaseSync, path: string, now: () => number): Gallery {
  const records = new Records(now);
  const dataVersion = database.prepare("PRAGMA data_version");
  let read = NOTHING_READ, seen: unknown;

  function refresh(): void {
    try {
      const version = dataVersion.get()?.data_version;
      if (version === seen) return;
      read = inTransaction(database, "DEFERRED", () => readChanges(database, records, read));
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
        read = readChanges(database, records, read);
        make();
        if (records.mark === 0) return read;
        records.purge();
        return writeJournal(database, records.journal, read);
      });
    } catch (error) {
      throw asGalleryError("write", path, error);
    }
    if (records.journal.some(erases)) truncateLog(database);
  }

  refresh();
  return createIndexedGallery({ records, store: { refresh, transact, close: () => database.close() }, now });
}

/** Sets a connection up, and makes the tables if there are none. */
function prepare(database: DatabaseSync, path: string, initial: GallerySnapshot): void {
  database.exec(`PRAGMA busy_timeout = ${PATIENCE_MILLISECONDS}`);
  if (!isNew(database)) checkFormat(database, path);
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA foreign_keys = ON");
  inTransaction(database, "IMMEDIATE", () => {
    if (!isNew(database)) return;
    database.exec(SCHEMA);
    database.prepare("INSERT INTO gallery VALUES (?, ?, 0, 0)").run(initial.fingerprint, initial.dimensions);
    database.prepare("INSERT INTO collections VALUES (?)").run(DEFAULT_COLLECTION);
    writeJournal(database, recordsOf(initial, () => -Infinity).journal, NOTHING_READ);
  });
  if (database.prepare("PRAGMA quick_check(1)").get()?.quick_check !== "ok") throw damaged(path);
  checkModel(path, String(database.prepare("SELECT fingerprint FROM gallery").get()?.fingerprint), initial.fingerprint);
  writeAnew(database);
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
  if (format !== FORMAT) {
    throw new GalleryError(
      `The gallery in ${path} has the format ${format}, and this version of Triptych reads ${FORMAT}; run the version that wrote it, or set TRIPTYCH_GALLERY to another file.`,
    );
  }
}

/** Only its owner may read the file; SQLite gives those beside it the same mode. */
function makeFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  closeSync(openSync(path, "a", 0o600));
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

/**
 * Moves the write-ahead log into the database and empties it, so that what was erased is in neither. A process that is just
 * reading for longer than the patience puts it off until the next time.
 */
function truncateLog(database: DatabaseSync): void {
  try {
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  } catch {
    // The change itself is durable.
  }
}

/**
 * Writes the database anew from its rows: what SQLite overwrites when it is deleted may have left a copy in the unused part
 * of a page, from when rows were moved between pages.
 */
function writeAnew(database: DatabaseSync): void {
  try {
    database.exec("VACUUM");
  } catch {
    // Another process is writing, or there is no room for a second copy: the gallery can be used as it is.
  }
  truncateLog(database);
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
  if (what === "write" && FULL.test(messageOf(error))) return new StorageFullError(path);
  if (DAMAGED.test(messageOf(error)) || error instanceof RangeError || error instanceof SyntaxError) {
    return damaged(path);
  }
  return new GalleryError(
    `Cannot ${what} the gallery in ${path}: ${
      messageOf(error)
    }; set TRIPTYCH_GALLERY to a file that can be written, and make room there.`,
  );
}
