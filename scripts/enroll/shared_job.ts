import type { Sql } from "postgres";
import { setTimeout as delay } from "node:timers/promises";
import { sha256 } from "../../shared/sha256.ts";
import { asGalleryError, connectAlone, placeOf } from "../../worker/gallery/postgres_connection.ts";

/** How long is waited for photos that other machines have claimed, milliseconds, before it is looked again. */
const WAIT_MILLISECONDS = 500;

/** Does a part of a job: the items of these numbers. */
export type DoPart = (numbers: number[]) => Promise<void>;

/**
 * Does a job together with every machine that does the same one. What is left to do are rows of a table; a machine claims
 * some by locking them, as long as it works on them and lives, and removes them when they are done.
 *
 * @param url of the gallery's Postgres server
 * @param items names of all there is to do, the same on each machine
 * @param size how many are claimed at once
 * @param signal ends it early: what is not done then is left
 * @throws {GalleryError} if the server cannot be reached
 */
export async function shareJob(
  { url, collection, items, size, signal }: {
    url: string;
    collection: string;
    items: readonly string[];
    size: number;
    signal: AbortSignal;
  },
  doPart: DoPart,
): Promise<void> {
  const job = await sha256(new TextEncoder().encode(JSON.stringify(items)));
  const sql = await connectAlone(url);
  try {
    await begin(sql, collection, job, items.length);
    while (!signal.aborted) {
      const claimed = await sql.begin(async (tx) => {
        const rows = await tx<{ item: number }[]>`
          SELECT item FROM triptych_jobs WHERE collection = ${collection} AND job = ${job}
          ORDER BY item LIMIT ${size} FOR UPDATE SKIP LOCKED`;
        const numbers = rows.map(({ item }) => item);
        await doPart(numbers);
        if (!signal.aborted && numbers.length > 0) {
          await tx`DELETE FROM triptych_jobs WHERE collection = ${collection} AND job = ${job}
            AND item IN ${tx(numbers)}`;
        }
        return numbers.length;
      });
      if (claimed > 0) continue;
      const [left] = await sql`SELECT FROM triptych_jobs WHERE collection = ${collection} AND job = ${job} LIMIT 1`;
      if (left === undefined) return;
      await delay(WAIT_MILLISECONDS, undefined, { signal }).catch(() => {});
    }
  } catch (error) {
    throw asGalleryError("change", placeOf(url), error);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** Writes down what there is to do, unless another machine has begun, or has left some of it. */
function begin(sql: Sql, collection: string, job: string, items: number): Promise<unknown> {
  return sql.begin(async (tx) => {
    // One machine after the other.
    await tx`SELECT FROM triptych_gallery FOR UPDATE`;
    await tx`INSERT INTO triptych_jobs SELECT ${collection}, ${job}, item FROM generate_series(0, ${
      items - 1
    }::integer) AS item
      WHERE NOT EXISTS (SELECT FROM triptych_jobs WHERE collection = ${collection} AND job = ${job})`;
  });
}
