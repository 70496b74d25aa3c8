import type { Fragment, Sql } from "postgres";
import { distance } from "../../shared/distance.ts";
import { compareNames } from "./compare_names.ts";
import type { Neighbour, SearchOptions, SearchResult } from "./gallery.ts";
import { countChanges, searchableText, vectorOf, vectorText } from "./postgres_records.ts";

/** Up to how many images are compared one by one, which is as quick then as the index, and exact. */
const EXACT_IMAGES = 2_000;

/** How many of the nearest images are looked at for each subject that is wanted, at first. */
const FETCHED = 4;

/** The fewest images that are looked at. */
const LEAST_FETCHED = 40;

/** By how much more are looked at next, if too few subjects were among them. */
const MORE = 10;

interface Row {
  known: boolean;
  /** How many are compared, a bigint. */
  subjects: string;
  images: string;
  changes: string;
  subject: string | null;
  image: string;
  embedding: string;
  metadata: string;
}

/** What a search of a database found. */
export interface DatabaseSearch extends SearchResult {
  /** Whether there is such a collection. */
  known: boolean;
  /** How many changes the database had seen. */
  changes: bigint;
}

/**
 * The nearest subjects, in one query: over HNSW where many images are compared, and one by one where few are. If HNSW finds
 * too few subjects, as where subjects have many images, it is asked for more, and then all are compared.
 *
 * @param now milliseconds since 1970
 */
export async function searchDatabase(
  sql: Sql,
  collection: string,
  embedding: Float32Array,
  options: SearchOptions,
  now: number,
): Promise<DatabaseSearch> {
  for (let fetched = Math.max(FETCHED * options.k, LEAST_FETCHED);; fetched *= MORE) {
    const found = await query(sql, collection, embedding, options, now, fetched);
    if (found.nearest.length >= Math.min(options.k, found.subjects) || fetched > found.images) return found;
  }
}

async function query(
  sql: Sql,
  collection: string,
  embedding: Float32Array,
  options: SearchOptions,
  now: number,
  fetched: number,
): Promise<DatabaseSearch & { images: number }> {
  const { k } = options;
  const wanted = vectorText(embedding);
  const at = sql`i.embedding <-> ${wanted}::vector`;
  const compared = sql`triptych_images i JOIN triptych_subjects s USING (collection, subject)
    WHERE i.collection = ${collection} AND ${isCompared(sql, options, now)}`;
  const isSmall = sql`(SELECT images FROM size) <= ${Math.max(EXACT_IMAGES, fetched)}::bigint`;
  const rows = await sql<Row[]>`
    WITH size AS MATERIALIZED (${size(sql, collection, options, now)}),
    one_by_one AS (
      SELECT subject, min(${at}) AS distance FROM ${compared} AND ${isSmall} GROUP BY subject
    ),
    by_index AS (
      SELECT subject, min(distance) AS distance FROM (
        SELECT subject, ${at} AS distance FROM ${compared} AND NOT ${isSmall} ORDER BY ${at} LIMIT ${fetched}
      ) AS near GROUP BY subject
    ),
    nearest AS (
      SELECT * FROM (SELECT * FROM one_by_one UNION ALL SELECT * FROM by_index) AS found
      ORDER BY distance, subject LIMIT ${k}
    )
    SELECT size.*, EXISTS (SELECT FROM triptych_collections WHERE collection = ${collection}) AS known,
      (${countChanges(sql)}) AS changes,
      nearest.subject, i.image, i.embedding::text AS embedding, s.metadata
    FROM size LEFT JOIN nearest ON true
    LEFT JOIN triptych_subjects s ON s.collection = ${collection} AND s.subject = nearest.subject
    LEFT JOIN LATERAL (
      SELECT image, embedding FROM triptych_images i
      WHERE i.collection = ${collection} AND i.subject = nearest.subject ORDER BY ${at}, ordinal LIMIT 1
    ) AS i ON true`;
  return {
    known: rows[0].known,
    changes: BigInt(rows[0].changes),
    images: Number(rows[0].images),
    subjects: Number(rows[0].subjects),
    nearest: rows.flatMap((row) => row.subject === null ? [] : neighbourOf({ ...row, subject: row.subject }, embedding))
      .sort((a, b) => a.distance - b.distance || compareNames(a.subject, b.subject)),
  };
}

/** How many subjects and images are compared; without a filter, that is counted already. */
function size(sql: Sql, collection: string, options: SearchOptions, now: number): Fragment {
  const { filter, exclude } = options;
  const here = sql`FROM triptych_subjects s WHERE collection = ${collection} AND images > 0`;
  if (filter !== undefined) {
    return sql`SELECT count(*) AS subjects, coalesce(sum(images), 0)::bigint AS images
      ${here} AND ${isCompared(sql, options, now)}`;
  }
  const excluded = exclude === undefined
    ? sql`0`
    : sql`(SELECT count(*) ${here} AND subject = ${exclude} AND ${isLiving(sql, now)})`;
  return sql`SELECT coalesce(sum(enrolled), 0)::bigint - ${excluded}
      - (SELECT count(*) ${here} AND expires_at <= ${now}::bigint) AS subjects,
      coalesce(sum(images), 0)::bigint AS images
    FROM triptych_counts WHERE collection = ${collection}`;
}

/** The condition on a subject `s` to be compared. */
function isCompared(sql: Sql, { filter, exclude }: SearchOptions, now: number): Fragment {
  return sql`${isLiving(sql, now)}
    ${exclude === undefined ? sql`` : sql`AND subject <> ${exclude}`}
    ${filter === undefined ? sql`` : sql`AND s.searchable @> ${searchableText(filter)}::text::jsonb`}`;
}

/** The condition on a subject `s` to be there. */
export function isLiving(sql: Sql, now: number): Fragment {
  return sql`(s.expires_at IS NULL OR s.expires_at > ${now}::bigint)`;
}

/** The distance is that of all galleries, which differs in the last digits from pgvector's. */
function neighbourOf(row: Row & { subject: string }, embedding: Float32Array): Neighbour {
  const { subject, image, metadata } = row;
  return { subject, image, distance: distance(vectorOf(row.embedding), embedding), metadata: JSON.parse(metadata) };
}
