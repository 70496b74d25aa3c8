import type { DatabaseSync } from "node:sqlite";
import type { ImageRecord, SubjectRecord } from "../../shared/snapshot.ts";
import type { KeyRing, Sealer, WrappedKey } from "./encryption.ts";
import { DEFAULT_COLLECTION } from "./gallery.ts";
import { imageChanges } from "./net_changes.ts";
import type { Records, Step } from "./records.ts";
import { Subjects } from "./subjects.ts";

/** Marks a database as a gallery of ours ("TRIP"), in its header. */
export const APPLICATION_ID = 0x54524950;

/** The version of the tables, in the header: of a gallery that is not encrypted, and of one that is. */
export const FORMATS = { plain: 1, sealed: 2 } as const;

/**
 * The tables of a gallery. `version` counts the transactions: a subject has that of its last change, so that another
 * process finds what is new to it; `removals` is the last one in which something went away, which leaves no row to find.
 */
export const SCHEMA = `
  PRAGMA application_id = ${APPLICATION_ID};
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

/** The keys of collections, in a gallery that is encrypted; beside each other table, since the first version had none. */
export const KEYS_SCHEMA = `
  CREATE TABLE IF NOT EXISTS data_keys (
    collection TEXT PRIMARY KEY REFERENCES collections ON DELETE CASCADE,
    key BLOB NOT NULL
  ) WITHOUT ROWID;
`;

/** How far a process has read: `version` and `removals` of the table `gallery`. */
export interface Progress {
  version: number;
  removals: number;
}

/** Of a database of which nothing was read yet. */
export const NOTHING_READ: Progress = { version: 0, removals: 0 };

/**
 * Brings records up to date with the tables. What it does is not in the journal, and where it fails, it can be done again.
 *
 * @param keys if the gallery is encrypted
 * @returns how far it has read now
 * @throws {Error} if a row cannot be read
 */
export function readChanges(
  database: DatabaseSync,
  records: Records,
  read: Progress,
  keys: KeyRing | undefined,
): Progress {
  const { dimensions, version, removals } = database.prepare("SELECT * FROM gallery").get() as unknown as GalleryRow;
  if (version === read.version) return read;
  records.load(() => {
    if (removals !== read.removals) forgetRemoved(database, records);
    for (const { collection } of database.prepare("SELECT collection FROM collections").iterate()) {
      records.create(String(collection));
    }
    for (const { collection, record } of subjectsSince(database, read.version, dimensions, sealersIn(database, keys))) {
      records.set(collection, record);
    }
  });
  return { version, removals };
}

/**
 * Writes a journal into the tables; in a transaction of the caller's.
 *
 * @param keys if the gallery is encrypted
 * @returns how far that is
 */
export function writeJournal(
  database: DatabaseSync,
  journal: readonly Step[],
  read: Progress,
  keys: KeyRing | undefined,
): Progress {
  const version = read.version + 1;
  const removals = journal.some(removes) ? version : read.removals;
  for (const step of journal) {
    if (step.subject === undefined) writeCollection(database, step, keys);
    else writeSubject(database, step, version, sealersIn(database, keys)(step.collection));
  }
  database.prepare("UPDATE gallery SET version = ?, removals = ?").run(version, removals);
  return { version, removals };
}

/** Whether a step leaves something behind in the file's log that must not be kept: all but a mere addition. */
export function erases(step: Step): boolean {
  if (step.subject === undefined || step.next === undefined) return removes(step);
  const { previous, next } = step;
  return previous !== undefined &&
    (previous.metadata !== next.metadata || imageChanges(previous, next).gone.length > 0);
}

function removes({ previous, next }: Step): boolean {
  return previous !== undefined && (next === undefined || next instanceof Subjects);
}

/** Makes a collection, with a key of its own if the gallery is encrypted. */
export function insertCollection(database: DatabaseSync, collection: string, keys: KeyRing | undefined): void {
  database.prepare("INSERT INTO collections VALUES (?)").run(collection);
  if (keys) database.prepare("INSERT INTO data_keys VALUES (?, ?)").run(collection, keys.make(collection));
}

/** A collection and its key; undefined if the gallery is not encrypted. */
export function someKey(database: DatabaseSync): { collection: string; key: WrappedKey } | undefined {
  const row = database.prepare("SELECT collection, key FROM data_keys LIMIT 1").get();
  return row as { collection: string; key: WrappedKey } | undefined;
}

type SealerOf = (collection: string) => Sealer | undefined;

/** The keys of collections, each looked up once. */
function sealersIn(database: DatabaseSync, keys: KeyRing | undefined): SealerOf {
  if (keys === undefined) return () => undefined;
  const sealers = new Map<string, Sealer>();
  const find = database.prepare("SELECT key FROM data_keys WHERE collection = ?");
  return (collection) => {
    const known = sealers.get(collection);
    if (known !== undefined) return known;
    const key = find.get(collection)?.key;
    if (!(key instanceof Uint8Array)) throw new RangeError(`the collection ${collection} has no key`);
    const sealer = keys.sealerOf(new Uint8Array(key), collection);
    sealers.set(collection, sealer);
    return sealer;
  };
}

function writeCollection(database: DatabaseSync, { collection, previous }: Step, keys: KeyRing | undefined): void {
  if (previous !== undefined) database.prepare("DELETE FROM collections WHERE collection = ?").run(collection);
  if (previous === undefined || collection === DEFAULT_COLLECTION) {
    insertCollection(database, collection, keys);
  }
}

function writeSubject(
  database: DatabaseSync,
  { collection, subject, previous, next }: Extract<Step, { subject: string }>,
  version: number,
  sealer: Sealer | undefined,
): void {
  if (next === undefined) {
    database.prepare("DELETE FROM subjects WHERE collection = ? AND subject = ?").run(collection, subject);
    return;
  }
  const metadata = JSON.stringify(next.metadata);
  const kept = sealer?.seal(new TextEncoder().encode(metadata), "metadata", collection, subject) ?? metadata;
  database.prepare(
    `INSERT INTO subjects VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET metadata = excluded.metadata,
       expires_at = excluded.expires_at, revision = excluded.revision, version = excluded.version`,
  ).run(collection, subject, kept, next.expiresAt, next.revision, version);
  const { gone, added } = imageChanges(previous, next);
  for (const { image } of gone) {
    database.prepare("DELETE FROM images WHERE collection = ? AND subject = ? AND image = ?")
      .run(collection, subject, image);
  }
  const insert = database.prepare(
    `INSERT INTO images (collection, subject, image, created_at, embedding, request_key, request_digest, thumbnail)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  for (const { image, createdAt, embedding, request, thumbnail } of added) {
    const seal = (what: string, bytes: Uint8Array) => sealer?.seal(bytes, what, collection, subject, image) ?? bytes;
    const bytes = seal("embedding", new Uint8Array(embedding.buffer, embedding.byteOffset, embedding.byteLength));
    const beside = [request?.key ?? null, request?.digest ?? null, thumbnail ? seal("thumbnail", thumbnail) : null];
    insert.run(collection, subject, image, createdAt, bytes, ...beside);
  }
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

/** The subjects that were changed after a version, one at a time, with all their images. */
function* subjectsSince(
  database: DatabaseSync,
  version: number,
  dimensions: number,
  sealerOf: SealerOf,
): Generator<{ collection: string; record: SubjectRecord }> {
  const rows = database.prepare(
    `SELECT * FROM subjects LEFT JOIN images USING (collection, subject) WHERE version > ?
     ORDER BY version, collection, subject, ordinal`,
  );
  let row: SubjectRow | undefined, images: ImageRecord[] = [];
  for (const next of rows.iterate(version) as unknown as Iterable<SubjectRow & ImageRow>) {
    if (row !== undefined && (row.subject !== next.subject || row.collection !== next.collection)) {
      yield { collection: row.collection, record: subjectOf(row, images, sealerOf(row.collection)) };
      images = [];
    }
    if (next.image !== null) images.push(imageOf(next, dimensions, sealerOf(next.collection)));
    row = next;
  }
  if (row !== undefined) {
    yield { collection: row.collection, record: subjectOf(row, images, sealerOf(row.collection)) };
  }
}

interface GalleryRow extends Progress {
  dimensions: number;
}

interface SubjectRow {
  collection: string;
  subject: string;
  /** Bytes if the gallery is encrypted. */
  metadata: string | Uint8Array;
  expires_at: string | null;
  revision: string;
}

interface ImageRow {
  collection: string;
  subject: string;
  image: string;
  created_at: string;
  embedding: Uint8Array<ArrayBuffer>;
  request_key: string | null;
  request_digest: string | null;
  thumbnail: Uint8Array<ArrayBuffer> | null;
}

function subjectOf(row: SubjectRow, images: ImageRecord[], sealer: Sealer | undefined): SubjectRecord {
  const { collection, subject, expires_at: expiresAt, revision } = row;
  const text = typeof row.metadata === "string"
    ? row.metadata
    : new TextDecoder().decode(sealer?.open(row.metadata, "metadata", collection, subject));
  return { subject, metadata: JSON.parse(text), expiresAt, revision, images };
}

function imageOf(row: ImageRow, dimensions: number, sealer: Sealer | undefined): ImageRecord {
  const { collection, subject, image, created_at: createdAt, request_key: key, request_digest: digest } = row;
  const open = (what: string, bytes: Uint8Array<ArrayBuffer>) =>
    sealer?.open(bytes, what, collection, subject, image) ?? bytes;
  // A copy, because the bytes may lie where no float32 can.
  const embedding = new Float32Array(new Uint8Array(open("embedding", row.embedding)).buffer);
  const thumbnail = row.thumbnail && open("thumbnail", row.thumbnail);
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
