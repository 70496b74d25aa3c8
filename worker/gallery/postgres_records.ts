import type { Fragment, Sql } from "postgres";
import type { CollectionRecord, ImageRecord, SubjectRecord } from "../../shared/snapshot.ts";
import { DEFAULT_COLLECTION } from "./gallery.ts";
import { imageChanges } from "./net_changes.ts";

/** How many rows count the changes of a collection. */
const PARTS = 8;

/** How many rows are read at once where there may be many. */
const ROWS_AT_ONCE = 1_000;

/** A row of a subject with one of its images, or with none. */
export interface SubjectRow {
  subject: string;
  metadata: string;
  expires_at: string | null;
  revision: string;
  image: string | null;
  created_at: string;
  embedding: string;
  request_key: string | null;
  request_digest: string | null;
  thumbnail: Uint8Array | null;
}

/** A subject to which images are added while rows are read. */
type ReadSubject = SubjectRecord & { images: ImageRecord[] };

/** The columns of a `SubjectRow`, of the tables `s` and `i`. */
export function columns(sql: Sql): Fragment {
  return sql`s.subject, s.metadata, s.expires_at, s.revision,
    i.image, i.created_at, i.embedding::text AS embedding, i.request_key, i.request_digest, i.thumbnail`;
}

/** A subject as it is kept, expired or not. */
export async function readSubject(sql: Sql, collection: string, subject: string): Promise<SubjectRecord | undefined> {
  const rows = await sql<SubjectRow[]>`
    SELECT ${columns(sql)}
    FROM triptych_subjects s LEFT JOIN triptych_images i USING (collection, subject)
    WHERE s.collection = ${collection} AND s.subject = ${subject} ORDER BY i.ordinal`;
  return recordsOf(rows)[0];
}

/** The subjects of rows that are in the order of subjects and images. @param records those of the rows before, added to */
export function recordsOf(
  rows: readonly SubjectRow[],
  records: ReadSubject[] = [],
): SubjectRecord[] {
  for (const row of rows) {
    if (records.at(-1)?.subject !== row.subject) records.push(subjectOf(row));
    if (row.image !== null) records.at(-1)!.images.push(imageOf({ ...row, image: row.image }));
  }
  return records;
}

function subjectOf({ subject, metadata, expires_at: expiry, revision }: SubjectRow) {
  const expiresAt = expiry === null ? null : new Date(Number(expiry)).toISOString();
  return { subject, metadata: JSON.parse(metadata), expiresAt, revision, images: [] };
}

function imageOf(row: SubjectRow & { image: string }): ImageRecord {
  const { image, created_at: createdAt, embedding, request_key: key, request_digest: digest, thumbnail } = row;
  return {
    ...{ image, createdAt, embedding: vectorOf(embedding) },
    ...(key !== null && digest !== null && { request: { key, digest } }),
    // A copy, for the driver's bytes are a part of what it has received.
    ...(thumbnail !== null && { thumbnail: new Uint8Array(thumbnail) }),
  };
}

/** An embedding out of pgvector's text, `[dim] float32`. */
export function vectorOf(text: string): Float32Array {
  return Float32Array.from(JSON.parse(text));
}

/** pgvector's text of an embedding. */
export function vectorText(embedding: Float32Array): string {
  return `[${embedding.join()}]`;
}

/**
 * JSON as `jsonb` takes it, which knows no NUL and no half of a surrogate pair: these, and the character that is put before
 * them, are written out. Different texts stay different.
 */
export function searchableText(value: Record<string, unknown>): string {
  return JSON.stringify(value).replace(
    /\\(?:u([0-9a-f]{4})|[^u])/g,
    (all, hex?: string) => hex !== undefined && /^(0000|001a|d[89a-f]..)$/.test(hex) ? `\\u001a${hex}` : all,
  );
}

/**
 * Writes one step of a subject, in one statement: that it is there, that it has other fields, an image more or less, or that
 * it is gone.
 *
 * @returns whether it was made: not if the subject is not as `previous` says any more
 */
export async function writeSubject(
  sql: Sql,
  collection: string,
  previous: SubjectRecord | undefined,
  next: SubjectRecord | undefined,
): Promise<boolean> {
  const subject = (next ?? previous)?.subject;
  if (subject === undefined) return true;
  const here = sql`collection = ${collection} AND subject = ${subject}`;
  const { gone: [removed], added: [added] } = imageChanges(previous, next);
  const [{ made }] = await sql<{ made: number }[]>`
    WITH ${
    previous === undefined
      ? sql`home AS (INSERT INTO triptych_collections VALUES (${collection}) ON CONFLICT DO NOTHING),`
      : sql``
  }
    made AS (${step(sql, collection, previous, next)} RETURNING 1),
    ${
    added === undefined ? sql`` : sql`added AS (
      INSERT INTO triptych_images
      SELECT ${collection}, ${subject}, ${added.image},
        (SELECT coalesce(max(ordinal), 0) + 1 FROM triptych_images WHERE ${here}),
        ${added.createdAt}, ${vectorText(added.embedding)}::vector,
        ${added.request?.key ?? null}::text, ${added.request?.digest ?? null}::text, ${added.thumbnail ?? null}::bytea
      FROM made),`
  }
    ${
    removed === undefined || next === undefined ? sql`` : sql`removed AS (
      DELETE FROM triptych_images WHERE ${here} AND image = ${removed.image} AND EXISTS (SELECT FROM made)),`
  }
    counted AS (${counting(sql, collection, previous, next)})
    SELECT count(*)::integer AS made FROM made`;
  return made === 1;
}

/**
 * Makes a subject and its images what they were elsewhere, all of it or nothing.
 *
 * @returns whether it was made: not if the subject is not as `previous` says any more
 */
export function rewriteSubject(
  sql: Sql,
  collection: string,
  previous: SubjectRecord | undefined,
  next: SubjectRecord,
): Promise<boolean> {
  return sql.begin(async (transaction) => {
    const tx = transaction as unknown as Sql;
    const { subject, images } = next;
    await tx`INSERT INTO triptych_collections VALUES (${collection}) ON CONFLICT DO NOTHING`;
    const [made] = await tx`${step(tx, collection, previous, next)} RETURNING 1`;
    if (made === undefined) return false;
    await tx`DELETE FROM triptych_images WHERE collection = ${collection} AND subject = ${subject}`;
    await Promise.all(
      images.map(({ image, createdAt, embedding, request, thumbnail }, n) =>
        tx`INSERT INTO triptych_images VALUES (${collection}, ${subject}, ${image}, ${n + 1}, ${createdAt},
        ${vectorText(embedding)}::vector, ${request?.key ?? null}, ${request?.digest ?? null}, ${thumbnail ?? null})`
      ),
    );
    await tx`WITH made AS (SELECT 1) ${counting(tx, collection, previous, next)}`;
    return true;
  });
}

/** All that is there at one moment, without what has expired by `now`, milliseconds since 1970. */
export function readAll(sql: Sql, now: number): Promise<CollectionRecord[]> {
  return sql.begin("ISOLATION LEVEL REPEATABLE READ READ ONLY", async (transaction) => {
    const tx = transaction as unknown as Sql;
    await tx`SET LOCAL statement_timeout = 0`;
    const all: CollectionRecord[] = [];
    for (const { collection } of await tx`SELECT collection FROM triptych_collections ORDER BY collection`) {
      const subjects: ReadSubject[] = [];
      const rows = tx<SubjectRow[]>`
        SELECT ${columns(tx)} FROM triptych_subjects s LEFT JOIN triptych_images i USING (collection, subject)
        WHERE collection = ${collection} AND (s.expires_at IS NULL OR s.expires_at > ${now}::bigint)
        ORDER BY s.subject, i.ordinal`;
      for await (const some of rows.cursor(ROWS_AT_ONCE)) recordsOf(some, subjects);
      all.push({ collection, subjects });
    }
    return all;
  }) as Promise<CollectionRecord[]>;
}

function step(
  sql: Sql,
  collection: string,
  previous: SubjectRecord | undefined,
  next: SubjectRecord | undefined,
): Fragment {
  const same = sql`collection = ${collection} AND subject = ${previous?.subject ?? ""} AND revision = ${
    previous?.revision ?? ""
  }`;
  if (next === undefined) return sql`DELETE FROM triptych_subjects WHERE ${same}`;
  const { subject, metadata, expiresAt, revision, images } = next;
  const [text, searchable] = [JSON.stringify(metadata), searchableText(metadata)];
  const expiry = expiresAt === null ? null : Date.parse(expiresAt);
  return previous === undefined
    ? sql`INSERT INTO triptych_subjects VALUES
        (${collection}, ${subject}, ${text}, ${searchable}::text::jsonb, ${expiry}::bigint, ${revision}, ${images.length}::integer)
      ON CONFLICT DO NOTHING`
    : sql`UPDATE triptych_subjects SET metadata = ${text}, searchable = ${searchable}::text::jsonb,
        expires_at = ${expiry}::bigint, revision = ${revision}, images = ${images.length}::integer WHERE ${same}`;
}

function counting(
  sql: Sql,
  collection: string,
  previous: SubjectRecord | undefined,
  next: SubjectRecord | undefined,
): Fragment {
  const enrolled = (record: SubjectRecord | undefined) => Number((record?.images.length ?? 0) > 0);
  const subjects = Number(next !== undefined) - Number(previous !== undefined);
  const images = (next?.images.length ?? 0) - (previous?.images.length ?? 0);
  return sql`INSERT INTO triptych_counts
    SELECT ${collection}, ${Math.floor(PARTS * Math.random())}::integer, 1,
      ${subjects}::integer, ${enrolled(next) - enrolled(previous)}::integer, ${images}::integer
    FROM made ${addCounts(sql)}`;
}

/** How a row of counts is added to one that is there. */
export function addCounts(sql: Sql): Fragment {
  return sql`ON CONFLICT (collection, part) DO UPDATE SET
    version = triptych_counts.version + excluded.version, subjects = triptych_counts.subjects + excluded.subjects,
    enrolled = triptych_counts.enrolled + excluded.enrolled, images = triptych_counts.images + excluded.images`;
}

/** How many changes were made, on any worker. */
export async function readChanges(sql: Sql): Promise<bigint> {
  const [{ changes }] = await sql<{ changes: string }[]>`SELECT (${countChanges(sql)}) AS changes`;
  return BigInt(changes);
}

/** The query of `readChanges`. */
export function countChanges(sql: Sql): Fragment {
  return sql`SELECT coalesce(sum(version), 0)::bigint FROM triptych_counts`;
}

/** Makes a collection. @returns whether it is new */
export async function writeCollection(sql: Sql, collection: string): Promise<boolean> {
  const rows = await sql`
    WITH made AS (INSERT INTO triptych_collections VALUES (${collection}) ON CONFLICT DO NOTHING RETURNING collection)
    INSERT INTO triptych_counts SELECT collection, 0, 1, 0, 0, 0 FROM made RETURNING 1`;
  return rows.length === 1;
}

/** Removes a collection and all in it; `default` is only emptied. @returns whether it was there */
export function eraseCollection(sql: Sql, collection: string): Promise<boolean> {
  return sql.begin(async (tx) => {
    // It may be large.
    await tx`SET LOCAL statement_timeout = 0`;
    // Whoever is just enrolling in it is waited for, and later ones wait.
    const [there] = await tx`SELECT FROM triptych_collections WHERE collection = ${collection} FOR UPDATE`;
    if (there === undefined) return false;
    const [{ version }] = await tx<{ version: string }[]>`
      SELECT coalesce(sum(version), 0)::bigint AS version FROM triptych_counts WHERE collection = ${collection}`;
    for (const table of ["triptych_images", "triptych_subjects", "triptych_counts", "triptych_jobs"]) {
      await tx`DELETE FROM ${tx(table)} WHERE collection = ${collection}`;
    }
    if (collection !== DEFAULT_COLLECTION) {
      await tx`DELETE FROM triptych_collections WHERE collection = ${collection}`;
    }
    // What it counted goes on to count, so that the sum never falls.
    await tx`INSERT INTO triptych_counts VALUES (${DEFAULT_COLLECTION}, 0, ${version}::bigint + 1, 0, 0, 0)
      ${addCounts(tx as unknown as Sql)}`;
    return true;
  });
}

/** Removes what has expired. @param now milliseconds since 1970 */
export async function purge(sql: Sql, now: number): Promise<void> {
  await sql`
    WITH gone AS (DELETE FROM triptych_subjects WHERE expires_at <= ${now}::bigint RETURNING collection, images)
    INSERT INTO triptych_counts
    SELECT collection, 0, 1, -count(*), -count(*) FILTER (WHERE images > 0), -sum(images) FROM gone GROUP BY collection
    ${addCounts(sql)}`;
}
