import type { DatabaseSync } from "node:sqlite";
import type { ImageRecord, SubjectRecord } from "../../shared/snapshot.ts";
import { DEFAULT_COLLECTION } from "./gallery.ts";
import type { Records, Step } from "./records.ts";

/** Marks a database as a gallery of ours ("TRIP"), in its header. */
export const APPLICATION_ID = 0x54524950;

/** The version of the tables, in the header. */
export const FORMAT = 1;

/**
 * The tables of a gallery. `version` counts the transactions: a subject has that of its last change, so that another
 * process finds what is new to it; `removals` is the last one in which something went away, which leaves no row to find.
 */
export const SCHEMA = `
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${FORMAT};
  CREATE TABLE gallery (
    fingerprint TEXT NOT NULL,
    dimensions INTEGER NOT NULL,
    version INTEGER NOT NULL,
    removals INTEGER NOT NULL
  );
  CREATE TABLE collections (collection TEXT PRIMARY KEY) WITHOUT ROWID;
  CREATE TABLE subjects (
    collection TEXT NOT NULL REFERENCES collections ON DELETE CASCADE,
    subject TEXT NOT NULL,
    metadata TEXT NOT NULL,
    expires_at TEXT,
    revision TEXT NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (collection, subject)
  ) WITHOUT ROWID;
  CREATE INDEX subjects_by_version ON subjects (version);
  CREATE TABLE images (
    ordinal INTEGER PRIMARY KEY,
    collection TEXT NOT NULL,
    subject TEXT NOT NULL,
    image TEXT NOT NULL,
    created_at TEXT NOT NULL,
    embedding BLOB NOT NULL,
    request_key TEXT,
    request_digest TEXT,
    thumbnail BLOB,
    FOREIGN KEY (collection, subject) REFERENCES subjects ON DELETE CASCADE
  );
  CREATE INDEX images_by_subject ON images (collection, subject);
`;

/** How far a process has read: `version` and `removals` of the table `gallery`. */
export interface Progress {
  version: number;
  removals: number;
}

/** Of a database of which nothing was read yet. */
export const NOTHING_READ: Progress = { version: 0, removals: 0 };

/**
 * Brings records up to date with the tables. What it does is not left in the journal.
 *
 * @returns how far it has read now
 * @throws {Error} if a row cannot be read
 */
export function readChanges(database: DatabaseSync, records: Records, read: Progress): Progress {
  const { dimensions, version, removals } = database.prepare("SELECT * FROM gallery").get() as unknown as GalleryRow;
  if (version === read.version) return read;
  if (removals !== read.removals) forgetRemoved(database, records);
  for (const { collection } of database.prepare("SELECT collection FROM collections").all()) {
    records.create(String(collection));
  }
  const images = imagesSince(database, read.version, dimensions);
  const changed = database.prepare("SELECT * FROM subjects WHERE version > ?").all(read.version);
  for (const row of changed as unknown as SubjectRow[]) {
    records.set(row.collection, subjectOf(row, images.get(keyOf(row)) ?? []));
  }
  records.forget();
  return { version, removals };
}

/** Writes a journal into the tables; in a transaction of the caller's. @returns how far that is */
export function writeJournal(database: DatabaseSync, journal: readonly Step[], read: Progress): Progress {
  const version = read.version + 1;
  const removals = journal.some(removes) ? version : read.removals;
  for (const step of journal) {
    if (step.subject === undefined) writeCollection(database, step);
    else writeSubject(database, step, version);
  }
  database.prepare("UPDATE gallery SET version = ?, removals = ?").run(version, removals);
  return { version, removals };
}

/** Whether a step leaves something behind in the file's log that must not be kept: all but a mere addition. */
export function erases(step: Step): boolean {
  if (step.subject === undefined || step.next === undefined) return removes(step);
  const { previous, next } = step;
  return previous !== undefined && (previous.metadata !== next.metadata || gone(previous, next).length > 0);
}

function removes({ previous, next }: Step): boolean {
  return previous !== undefined && (next === undefined || next instanceof Map);
}

function writeCollection(database: DatabaseSync, { collection, previous }: Step): void {
  if (previous !== undefined) database.prepare("DELETE FROM collections WHERE collection = ?").run(collection);
  if (previous === undefined || collection === DEFAULT_COLLECTION) {
    database.prepare("INSERT INTO collections VALUES (?)").run(collection);
  }
}

function writeSubject(
  database: DatabaseSync,
  { collection, subject, previous, next }: Extract<Step, { subject: string }>,
  version: number,
): void {
  if (next === undefined) {
    database.prepare("DELETE FROM subjects WHERE collection = ? AND subject = ?").run(collection, subject);
    return;
  }
  database.prepare(
    `INSERT INTO subjects VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET metadata = excluded.metadata,
       expires_at = excluded.expires_at, revision = excluded.revision, version = excluded.version`,
  ).run(collection, subject, JSON.stringify(next.metadata), next.expiresAt, next.revision, version);
  for (const { image } of gone(previous, next)) {
    database.prepare("DELETE FROM images WHERE collection = ? AND subject = ? AND image = ?")
      .run(collection, subject, image);
  }
  const insert = database.prepare(
    `INSERT INTO images (collection, subject, image, created_at, embedding, request_key, request_digest, thumbnail)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  for (const { image, createdAt, embedding, request, thumbnail } of gone(next, previous)) {
    const bytes = new Uint8Array(embedding.buffer, embedding.byteOffset, embedding.byteLength);
    const beside = [request?.key ?? null, request?.digest ?? null, thumbnail ?? null];
    insert.run(collection, subject, image, createdAt, bytes, ...beside);
  }
}

/** The images of a record that another one does not have, or has another of the same name. */
function gone(record: SubjectRecord | undefined, other: SubjectRecord | undefined): ImageRecord[] {
  const kept = new Set(other?.images);
  return record?.images.filter((image) => !kept.has(image)) ?? [];
}

function forgetRemoved(database: DatabaseSync, records: Records): void {
  const collections = new Set(
    database.prepare("SELECT collection FROM collections").all().map((row) => row.collection),
  );
  const subjects = new Set(
    (database.prepare("SELECT collection, subject FROM subjects").all() as unknown as SubjectRow[]).map(keyOf),
  );
  for (const collection of records.names()) {
    if (!collections.has(collection)) records.drop(collection);
    else {
      for (const subject of records.subjects(collection)) {
        if (!subjects.has(keyOf({ collection, subject }))) records.delete(collection, subject);
      }
    }
  }
}

function imagesSince(database: DatabaseSync, version: number, dimensions: number): Map<string, ImageRecord[]> {
  const images = new Map<string, ImageRecord[]>();
  const rows = database.prepare(
    `SELECT images.* FROM subjects CROSS JOIN images USING (collection, subject) WHERE version > ?
     ORDER BY subjects.version, subjects.collection, subjects.subject, ordinal`,
  );
  for (const row of rows.iterate(version) as unknown as Iterable<ImageRow>) {
    const key = keyOf(row), before = images.get(key);
    if (before === undefined) images.set(key, [imageOf(row, dimensions)]);
    else before.push(imageOf(row, dimensions));
  }
  return images;
}

interface GalleryRow extends Progress {
  dimensions: number;
}

interface SubjectRow {
  collection: string;
  subject: string;
  metadata: string;
  expires_at: string | null;
  revision: string;
}

interface ImageRow {
  collection: string;
  subject: string;
  image: string;
  created_at: string;
  embedding: Uint8Array;
  request_key: string | null;
  request_digest: string | null;
  thumbnail: Uint8Array<ArrayBuffer> | null;
}

function subjectOf(row: SubjectRow, images: ImageRecord[]): SubjectRecord {
  const { subject, metadata, expires_at: expiresAt, revision } = row;
  return { subject, metadata: JSON.parse(metadata), expiresAt, revision, images };
}

function imageOf(row: ImageRow, dimensions: number): ImageRecord {
  const { image, created_at: createdAt, request_key: key, request_digest: digest, thumbnail } = row;
  // A copy, because the bytes may lie where no float32 can.
  const embedding = new Float32Array(new Uint8Array(row.embedding).buffer);
  if (embedding.length !== dimensions) throw new RangeError(`the image ${image} has ${embedding.length} dimensions`);
  return {
    ...{ image, createdAt, embedding },
    ...(key !== null && digest !== null && { request: { key, digest } }),
    ...(thumbnail !== null && { thumbnail }),
  };
}

function keyOf({ collection, subject }: { collection: string; subject: string }): string {
  return JSON.stringify([collection, subject]);
}
