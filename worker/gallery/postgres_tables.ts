import type { Sql } from "postgres";
import { GalleryError } from "../../shared/errors.ts";
import { DEFAULT_COLLECTION } from "./gallery.ts";
import { checkModel } from "./model_check.ts";
import { asGalleryError, connectAlone, type Dialect, dialectOf, placeOf } from "./postgres_connection.ts";

/** Of which model a gallery is. */
export interface Model {
  fingerprint: string;
  dimensions: number;
}

/** Taken while the tables are made, so that workers that start together do it one after the other; "TRIPTYCH" in ASCII. */
const LOCK = "6075990753693287240";

/** The most dimensions that an index of pgvector takes. */
const MOST_INDEXED = 2000;

/**
 * Makes the tables, or brings them up to this version, and checks that they are of the model.
 *
 * @throws {GalleryError} if the server cannot be reached, has no pgvector, or the gallery is of another model or version
 */
export async function migrate(url: string, model: Model): Promise<Dialect> {
  const place = placeOf(url);
  const sql = await connectAlone(url);
  try {
    const [{ version }] = await sql<{ version: string }[]>`SELECT version() AS version`;
    const dialect = dialectOf(version);
    if (dialect !== "cockroach") await makeExtension(sql, place);
    await sql.begin(async (tx) => {
      if (dialect === "postgres") await tx`SELECT pg_advisory_xact_lock(${LOCK}::bigint)`;
      await migrateWithin(tx as unknown as Sql, dialect, model, place);
    });
    return dialect;
  } catch (error) {
    throw asGalleryError("open", place, error);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

async function migrateWithin(sql: Sql, dialect: Dialect, model: Model, place: string): Promise<void> {
  await sql`CREATE TABLE IF NOT EXISTS triptych_gallery (
    singleton integer PRIMARY KEY CHECK (singleton = 1),
    format integer NOT NULL,
    fingerprint text NOT NULL,
    dimensions integer NOT NULL
  )`;
  await sql`INSERT INTO triptych_gallery VALUES (1, 0, ${model.fingerprint}, ${model.dimensions}) ON CONFLICT DO NOTHING`;
  const [{ format, fingerprint }] = await sql<
    { format: number; fingerprint: string }[]
  >`SELECT * FROM triptych_gallery`;
  checkModel(place, fingerprint, model.fingerprint);
  const migrations = [firstFormat(dialect, model.dimensions)];
  if (format > migrations.length) {
    throw new GalleryError(
      `The gallery in ${place} has the format ${format}, and this version of Triptych reads ${migrations.length}; run the version that wrote it, or set TRIPTYCH_GALLERY to another database.`,
    );
  }
  for (const statement of migrations.slice(format).flat()) await sql.unsafe(statement);
  await sql`UPDATE triptych_gallery SET format = ${migrations.length}`;
}

async function makeExtension(sql: Sql, place: string): Promise<void> {
  const [there] = await sql`SELECT FROM pg_extension WHERE extname = 'vector'`;
  if (there !== undefined) return;
  try {
    await sql`CREATE EXTENSION IF NOT EXISTS vector`;
  } catch (error) {
    // Workers that start together may both have found none.
    const [made] = await sql`SELECT FROM pg_extension WHERE extname = 'vector'`;
    if (made !== undefined) return;
    throw new GalleryError(
      `The database at ${place} has no pgvector, and it cannot be added: ${
        asGalleryError("open", place, error).message
      } Have it installed there, and CREATE EXTENSION vector run by whoever may.`,
    );
  }
}

/**
 * The tables. The collection comes first in every key, so that all of a collection can lie together. Times are milliseconds
 * since 1970. `metadata` is kept as it was sent, and `searchable` is what filters are compared with; `images` of a subject
 * is how many it has, and `ordinal` their order.
 *
 * `triptych_counts` has what is in a collection, and counts the changes: the sum of `version` over all rows grows with each.
 * Each collection has several such rows, so that changes need not wait for each other.
 *
 * `triptych_jobs` has what is left to do of bulk enrolments that several machines share.
 */
function firstFormat(dialect: Dialect, dimensions: number): string[] {
  // Ordered by code points, as everywhere; CockroachDB's only order.
  const name = dialect === "cockroach" ? "text" : `text COLLATE "C"`;
  return [
    `CREATE TABLE triptych_collections (collection ${name} PRIMARY KEY)`,
    `CREATE TABLE triptych_counts (
      collection ${name} NOT NULL REFERENCES triptych_collections ON DELETE CASCADE,
      part integer NOT NULL,
      version bigint NOT NULL,
      subjects bigint NOT NULL,
      enrolled bigint NOT NULL,
      images bigint NOT NULL,
      PRIMARY KEY (collection, part)
    )`,
    `CREATE TABLE triptych_subjects (
      collection ${name} NOT NULL REFERENCES triptych_collections ON DELETE CASCADE,
      subject ${name} NOT NULL,
      metadata text NOT NULL,
      searchable jsonb NOT NULL,
      expires_at bigint,
      revision text NOT NULL,
      images integer NOT NULL,
      PRIMARY KEY (collection, subject)
    )`,
    `CREATE INDEX triptych_subjects_by_metadata ON triptych_subjects USING gin (searchable${
      dialect === "postgres" ? " jsonb_path_ops" : ""
    })`,
    `CREATE INDEX triptych_subjects_by_expiry ON triptych_subjects (expires_at) WHERE expires_at IS NOT NULL`,
    `CREATE TABLE triptych_images (
      collection ${name} NOT NULL,
      subject ${name} NOT NULL,
      image text NOT NULL,
      ordinal integer NOT NULL,
      created_at text NOT NULL,
      embedding vector(${dimensions}) NOT NULL,
      request_key text,
      request_digest text,
      thumbnail bytea,
      PRIMARY KEY (collection, subject, image),
      FOREIGN KEY (collection, subject) REFERENCES triptych_subjects ON DELETE CASCADE
    )`,
    `CREATE UNIQUE INDEX triptych_images_by_request ON triptych_images (collection, subject, request_key)
      WHERE request_key IS NOT NULL`,
    `CREATE TABLE triptych_jobs (
      collection ${name} NOT NULL,
      job text NOT NULL,
      item integer NOT NULL,
      PRIMARY KEY (collection, job, item)
    )`,
    ...(dimensions <= MOST_INDEXED ? [vectorIndex(dialect)] : []),
    `INSERT INTO triptych_collections VALUES ('${DEFAULT_COLLECTION}')`,
  ];
}

function vectorIndex(dialect: Dialect): string {
  return dialect === "cockroach"
    ? "CREATE VECTOR INDEX triptych_images_by_embedding ON triptych_images (collection, embedding vector_l2_ops)"
    : `CREATE INDEX triptych_images_by_embedding ON triptych_images USING ${
      dialect === "yugabyte" ? "ybhnsw" : "hnsw"
    } (embedding vector_l2_ops)`;
}
