import { Buffer } from "node:buffer";
import { readSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { imageChanges, netChangesOf } from "./net_changes.ts";
import type { Step } from "./records.ts";

/** From so many traces on, writing the database anew costs less than looking for them. */
const MANY_TRACES = 32;

/** How much of a longer trace is looked for, at its beginning and its end. */
const TRACE_BYTES = 32;

/** Metadata below this length may well be that of others too. */
const LEAST_METADATA = 16;

/** How large a value is made at most. */
const MOST_BLOB = 64 << 20;

/** How much of the file is read at once. */
const CHUNK_BYTES = 1 << 20;

/**
 * Makes sure that what a transaction erased is in no file of the database any more. SQLite overwrites rows that it deletes,
 * but may have left a copy in the unused part of a page, from when it moved rows between pages: where one is found, the
 * database is written anew.
 *
 * @param file the database, open: whoever closes it takes SQLite's locks from this process
 * @param journal of the transaction
 * @param isSealed whether the gallery is encrypted, so that only names can be read in the file
 */
export function eraseTraces(database: DatabaseSync, file: number, journal: readonly Step[], isSealed: boolean): void {
  truncateLog(database);
  const traces = tracesOf(database, journal, isSealed);
  if (traces === null || isInFile(file, traces)) writeAnew(database);
}

/**
 * Writes the database anew from its rows, where there is room for a second copy and no other process is just writing:
 * otherwise it can be used as it is. `VACUUM` would do it too, but attaches a database, which Deno lets nobody do who is not
 * permitted everything.
 */
export function writeAnew(database: DatabaseSync): void {
  try {
    // A table that gets another name for the moment is to keep its references.
    database.exec("PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = ON; PRAGMA secure_delete = ON");
    database.exec("BEGIN IMMEDIATE");
    for (const { name, sql } of schemaOf(database, "table")) {
      const indices = schemaOf(database, "index", String(name));
      database.exec(`ALTER TABLE "${name}" RENAME TO replaced; ${sql}; INSERT INTO "${name}" SELECT * FROM replaced`);
      // This overwrites its pages.
      database.exec("DROP TABLE replaced");
      for (const { sql } of indices) database.exec(String(sql));
    }
    overwriteFreePages(database);
    database.exec("COMMIT");
  } catch {
    // The next time.
    if (database.isTransaction) database.exec("ROLLBACK");
  } finally {
    database.exec("PRAGMA legacy_alter_table = OFF; PRAGMA foreign_keys = ON");
  }
  truncateLog(database);
}

/** What tables, or the indices of one, are made by. */
function schemaOf(database: DatabaseSync, type: "table" | "index", table?: string) {
  const made = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite!_%' ESCAPE '!'";
  return database.prepare(`${made} AND type = ? AND tbl_name = coalesce(?, tbl_name)`).all(type, table ?? null);
}

/** Those that a connection left which does not overwrite what it deletes. */
function overwriteFreePages(database: DatabaseSync): void {
  const [{ pages, size }] = database.prepare(
    "SELECT freelist_count AS pages, page_size AS size FROM pragma_freelist_count, pragma_page_size",
  ).all();
  const most = Math.floor(MOST_BLOB / Number(size));
  database.exec("CREATE TABLE filler (zeros BLOB)");
  const fill = database.prepare("INSERT INTO filler VALUES (zeroblob(?))");
  for (let left = Number(pages); left > 0; left -= most) fill.run(Math.min(left, most) * Number(size));
  database.exec("DROP TABLE filler");
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

/** @returns null if they are many */
function tracesOf(database: DatabaseSync, journal: readonly Step[], isSealed: boolean): Buffer[] | null {
  if (journal.some(({ subject, previous }) => subject === undefined && previous !== undefined)) return null;
  const traces: Buffer[] = [];
  for (const { collection, subject, previous, next } of netChangesOf(journal).subjects) {
    if (previous === undefined) continue;
    // The two stand next to each other in a row.
    if (next === undefined && !startsAnother(database, collection, subject)) {
      traces.push(Buffer.from(collection + subject));
    }
    if (isSealed) continue;
    const metadata = JSON.stringify(previous.metadata);
    if (metadata.length >= LEAST_METADATA && !isMetadata(database, metadata)) {
      traces.push(...endsOf(Buffer.from(metadata)));
    }
    for (const { embedding, thumbnail } of imageChanges(previous, next).gone) {
      traces.push(...endsOf(Buffer.from(embedding.buffer, embedding.byteOffset, embedding.byteLength)));
      // All thumbnails begin alike.
      if (thumbnail) traces.push(Buffer.from(thumbnail).subarray(-TRACE_BYTES));
    }
    if (traces.length > MANY_TRACES) return null;
  }
  return traces;
}

function endsOf(bytes: Buffer): Buffer[] {
  return bytes.length <= TRACE_BYTES ? [bytes] : [bytes.subarray(0, TRACE_BYTES), bytes.subarray(-TRACE_BYTES)];
}

/** Whether the name of a subject is, or begins, that of one who is there. */
function startsAnother(database: DatabaseSync, collection: string, subject: string): boolean {
  const find = database.prepare(
    "SELECT 1 FROM subjects WHERE collection = ? AND subject >= ? AND subject < ? LIMIT 1",
  );
  return find.get(collection, subject, `${subject}\u{10ffff}`) !== undefined;
}

/** Whether some subject has this metadata. */
function isMetadata(database: DatabaseSync, metadata: string): boolean {
  return database.prepare("SELECT 1 FROM subjects WHERE metadata = ? LIMIT 1").get(metadata) !== undefined;
}

function isInFile(file: number, traces: readonly Buffer[]): boolean {
  const overlap = Math.max(0, ...traces.map(({ length }) => length)), chunk = Buffer.alloc(CHUNK_BYTES);
  for (let at = 0;; at += CHUNK_BYTES - overlap) {
    const length = readSync(file, chunk, 0, CHUNK_BYTES, at);
    const read = chunk.subarray(0, length);
    if (traces.some((trace) => read.includes(trace))) return true;
    if (length < CHUNK_BYTES) return false;
  }
}
