import type { Sql } from "postgres";
import { checkRevision, withFields, withImage, withoutImage } from "./changes.ts";
import { type CollectionSummary, type Gallery, type SubjectRecord, UnknownError } from "./gallery.ts";
import { connect, placeOf, retried } from "./postgres_connection.ts";
import {
  columns,
  countChanges,
  eraseCollection,
  purge,
  readAll,
  readSubject,
  recordsOf,
  rewriteSubject,
  type SubjectRow,
  writeCollection,
  writeSubject,
} from "./postgres_records.ts";
import { restored } from "./restored.ts";
import { replicatedSearch } from "./postgres_replicas.ts";
import { isLiving as isLivingRow } from "./postgres_search.ts";
import { migrate, type Model } from "./postgres_tables.ts";
import { inTurn } from "./in_turn.ts";
import { watchVersion } from "./watch.ts";

/** What a gallery in Postgres is made of. */
export interface PostgresGalleryOptions {
  /** `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, of the server that is written to. */
  url: string;
  /** Servers that follow it, for searches. */
  replicas?: readonly string[];
  model: Model;
  /** Milliseconds since 1970, the default is the clock. */
  now?: () => number;
}

/** How often, at most, what has expired is removed, milliseconds. It is not there in any case. */
const PURGE_MILLISECONDS = 60_000;

/**
 * A gallery in a Postgres database with pgvector, which any number of workers on any number of machines may share; nothing
 * of it is in this process. A change is one statement, made on the condition that its subject is as it was read before.
 *
 * @throws {GalleryError} if the server cannot be reached, has no pgvector, or the gallery is of another model
 */
export async function openPostgresGallery(options: PostgresGalleryOptions): Promise<Gallery> {
  const { url, replicas = [], model, now = Date.now } = options;
  const place = placeOf(url);
  const dialect = await migrate(url, model);
  const sql = await connect(url, dialect);
  const followers = await Promise.all(replicas.map((replica) => connect(replica, dialect)));
  /** Tells who watches of the changes of this process. */
  const changes = new EventTarget();
  const version = () => reading(() => readVersion(sql, now()));
  const search = replicatedSearch(sql, followers);
  const turns = inTurn();
  let nextPurge = -Infinity;

  const reading = <T>(read: () => Promise<T>) => retried("read", place, async () => ({ done: await read() }));

  /** @throws {UnknownError} of the collection, or of what is in it */
  async function unknown(collection: string, subject: string): Promise<never> {
    const [there] = await sql`SELECT FROM triptych_collections WHERE collection = ${collection}`;
    throw there === undefined ? new UnknownError("collection", collection) : new UnknownError("subject", subject);
  }

  async function get(collection: string, subject: string): Promise<SubjectRecord> {
    const record = await readSubject(sql, collection, subject);
    return record !== undefined && isLiving(record, now()) ? record : await unknown(collection, subject);
  }

  /** Makes a change of a subject. @param make what the subject is to be, of what it is @param write one step, by default */
  function change<T, N extends SubjectRecord | undefined = SubjectRecord | undefined>(
    collection: string,
    subject: string,
    make: (previous: SubjectRecord | undefined) => Promise<{ next: N; result: T }>,
    write: (sql: Sql, collection: string, previous: SubjectRecord | undefined, next: N) => Promise<boolean> =
      writeSubject,
  ): Promise<T> {
    return changed(turns(JSON.stringify([collection, subject]), () => {
      /** Made or not: the connection was lost meanwhile. */
      const tried: { next: N; result: T }[] = [];
      return retried("change", place, async () => {
        const previous = await readSubject(sql, collection, subject);
        // Revisions are never used again.
        const made = tried.find(({ next }) => next?.revision === previous?.revision);
        if (made !== undefined) return { done: made.result };
        if (previous !== undefined && !isLiving(previous, now())) {
          await writeSubject(sql, collection, previous, undefined);
          return undefined;
        }
        const { next, result } = await make(previous);
        if (next === previous) return { done: result };
        tried.push({ next, result });
        if (await write(sql, collection, previous, next)) return { done: result };
        tried.pop();
        return undefined;
      });
    })).finally(purgeAtTimes);
  }

  async function changed<T>(change: Promise<T>): Promise<T> {
    const result = await change;
    changes.dispatchEvent(new Event("change"));
    return result;
  }

  async function purgeAtTimes(): Promise<void> {
    if (now() < nextPurge) return;
    nextPurge = now() + PURGE_MILLISECONDS;
    // The change is made, whatever comes of this; the next one tries again.
    await purge(sql, now()).catch(() => nextPurge = -Infinity);
  }

  return {
    collections: () => reading(() => summaries(sql, now())),

    async collection(collection) {
      const [summary] = await reading(() => summaries(sql, now(), collection));
      return summary ?? await reading(() => unknown(collection, ""));
    },

    putCollection: (collection) =>
      changed(retried("change", place, async () => ({ done: await writeCollection(sql, collection) }))),

    async deleteCollection(collection) {
      const wasThere = await changed(
        retried("change", place, async () => ({ done: await eraseCollection(sql, collection) })),
      );
      if (!wasThere) throw new UnknownError("collection", collection);
    },

    subjects: (collection, { after, limit }) =>
      reading(async () => {
        const rows = await sql<SubjectRow[]>`
          WITH s AS (
            SELECT * FROM triptych_subjects s WHERE collection = ${collection} AND subject > ${after ?? ""}
              AND ${isLivingRow(sql, now())} ORDER BY subject LIMIT ${limit + 1}
          )
          SELECT ${columns(sql)} FROM s LEFT JOIN triptych_images i USING (collection, subject)
          ORDER BY s.subject, i.ordinal`;
        const found = recordsOf(rows);
        if (found.length === 0 && (await summaries(sql, now(), collection)).length === 0) {
          throw new UnknownError("collection", collection);
        }
        const subjects = found.slice(0, limit);
        return { subjects, next: found.length > limit ? subjects[limit - 1].subject : null };
      }),

    subject: (collection, subject) => reading(() => get(collection, subject)),

    putSubject: (collection, subject, fields, condition) =>
      // deno-lint-ignore require-await
      change(collection, subject, async (previous) => {
        const result = withFields(previous, subject, fields, condition);
        return { next: result.record, result };
      }),

    deleteSubject: (collection, subject, condition) =>
      change(collection, subject, async (previous) => {
        checkRevision(previous ?? await unknown(collection, subject), subject, condition);
        return { next: undefined, result: undefined };
      }),

    addImage: (collection, subject, embedding, beside, condition) =>
      // deno-lint-ignore require-await
      change(collection, subject, async (previous) => {
        const result = withImage(previous, subject, { embedding, ...beside }, condition, now());
        return { next: result.record, result };
      }),

    deleteImage: (collection, subject, image, condition) =>
      change(collection, subject, async (previous) => {
        const record = previous ?? await unknown(collection, subject);
        return { next: withoutImage(record, image, condition), result: undefined };
      }),

    search: (collection, embedding, options) =>
      reading(async () => {
        const { known, subjects, nearest } = await search.run(collection, embedding, options, now());
        if (!known) throw new UnknownError("collection", collection);
        return { subjects, nearest };
      }),

    snapshot: () => reading(() => readAll(sql, now())),

    async restore(collection, subjects, replace = false) {
      await retried("change", place, async () => ({ done: await writeCollection(sql, collection) }));
      await Promise.all(subjects.map((elsewhere) => {
        // deno-lint-ignore require-await
        const make = async (previous: SubjectRecord | undefined) => {
          return { next: restored(previous, elsewhere, replace), result: undefined };
        };
        return change(collection, elsewhere.subject, make, rewriteSubject);
      }));
    },

    version,

    watch: (signal) => watchVersion(version, changes, signal),

    async close() {
      search.close();
      await Promise.all([sql, ...followers].map((each) => each.end({ timeout: 5 })));
    },
  };
}

function isLiving({ expiresAt }: SubjectRecord, now: number): boolean {
  return expiresAt === null || Date.parse(expiresAt) > now;
}

/** Names what the gallery holds: the number of changes that were made, and of subjects that have expired since. */
async function readVersion(sql: Sql, now: number): Promise<string> {
  const [{ version }] = await sql<{ version: string }[]>`
    SELECT concat(
      (${countChanges(sql)}), '.',
      (SELECT count(*) FROM triptych_subjects WHERE expires_at <= ${now}::bigint)
    ) AS version`;
  return version;
}

/** What is in all collections, or in one, without what has expired. */
async function summaries(sql: Sql, now: number, only?: string): Promise<CollectionSummary[]> {
  const where = only === undefined ? sql`` : sql`WHERE c.collection = ${only}`;
  const rows = await sql<CollectionSummary[]>`
    SELECT c.collection,
      (coalesce(counted.subjects, 0) - coalesce(expired.subjects, 0))::float8 AS subjects,
      (coalesce(counted.images, 0) - coalesce(expired.images, 0))::float8 AS images
    FROM triptych_collections c
    LEFT JOIN (
      SELECT collection, sum(subjects) AS subjects, sum(images) AS images FROM triptych_counts GROUP BY collection
    ) AS counted USING (collection)
    LEFT JOIN (
      SELECT collection, count(*) AS subjects, sum(images) AS images
      FROM triptych_subjects WHERE expires_at <= ${now}::bigint GROUP BY collection
    ) AS expired USING (collection)
    ${where} ORDER BY c.collection`;
  return [...rows];
}
