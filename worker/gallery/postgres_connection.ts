import type { Options, PostgresType, Sql } from "postgres";
import { GalleryError, messageOf, TriptychError } from "../../shared/errors.ts";
import { StorageFullError } from "./gallery.ts";

/** How long a connection may take to be made, seconds, if the URL does not say. */
const CONNECT_SECONDS = 5;

/** How many connections a pool has at most, if the URL does not say. */
const CONNECTIONS = 10;

/** How long a statement may run, milliseconds, if the URL does not say. */
const STATEMENT_MILLISECONDS = 10_000;

/** How often a change is tried, at most, where others are made at the same time. */
const ATTEMPTS = 12;

/** The longest pause before the next attempt, milliseconds. */
const LONGEST_PAUSE = 200;

/** SQLSTATEs of a change that another one came in the way of: made again, it may succeed. */
const CONFLICTS = new Set([
  "40001", // serialization_failure
  "40P01", // deadlock_detected
  "23503", // foreign_key_violation: the collection was deleted meanwhile
  "23505", // unique_violation: the same was made meanwhile
]);

/** What the driver and the system say of a server that is not reached, or was lost. */
const LOST = /^(CONNECTION_|CONNECT_TIMEOUT|ECONN|ENOTFOUND|ETIMEDOUT|EPIPE|EHOSTUNREACH|57P0[123]|08|53300)/;

/** SQLSTATE of a disk that is full. */
const DISK_FULL = "53100";

/** What distributes Postgres, where it takes other statements than Postgres itself. */
export type Dialect = "postgres" | "yugabyte" | "cockroach";

/** @param version what `version()` gives */
export function dialectOf(version: string): Dialect {
  if (version.startsWith("CockroachDB")) return "cockroach";
  return version.includes("-YB-") ? "yugabyte" : "postgres";
}

/** Which pgvector's HNSW is asked for; only Postgres's own knows these. */
const HNSW = { "hnsw.ef_search": "100", "hnsw.iterative_scan": "strict_order" };

/**
 * A pool of connections. What the driver or the server takes, such as `max` for the size of the pool,
 * `sslmode` and `statement_timeout`, can be set in the URL's query.
 */
export async function connect(url: string, dialect: Dialect): Promise<Sql> {
  const connection = {
    statement_timeout: STATEMENT_MILLISECONDS,
    // The number of neighbours decides whether the index is worth it, so that no plan fits all.
    ...(dialect !== "cockroach" && { plan_cache_mode: "force_custom_plan" }),
    ...(dialect === "postgres" && HNSW),
  };
  return await pool(url, { connection } as Options<Record<string, PostgresType>>);
}

/** One connection for statements that may take long. */
export function connectAlone(url: string): Promise<Sql> {
  return pool(url, { max: 1 });
}

async function pool(url: string, options: Options<Record<string, PostgresType>>): Promise<Sql> {
  // Here, so that nobody else loads it.
  const { default: postgres } = await import("postgres");
  const given = new URL(url).searchParams;
  return postgres(url, {
    connect_timeout: Number(given.get("connect_timeout") ?? CONNECT_SECONDS),
    // The driver takes the digits of the URL for a list of one.
    max: Number(given.get("max") ?? CONNECTIONS),
    ...options,
    fetch_types: false,
    onnotice: () => {},
    connection: { application_name: "triptych", ...options.connection },
  });
}

/** Where a database is, for a person: without user, password and settings. */
export function placeOf(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

/**
 * Reads or makes a change, again as long as others come in its way or the connection is lost, with pauses that grow.
 *
 * @param attempt gives undefined if it is to be made again
 * @throws {GalleryError} if that does not end
 * @throws {StorageFullError} if the server's disk is full
 */
export async function retried<T>(
  what: "read" | "change",
  place: string,
  attempt: () => Promise<{ done: T } | undefined>,
): Promise<T> {
  for (let n = 1;; n++) {
    let reason: unknown = "others change the same at the same time, again and again";
    try {
      const result = await attempt();
      if (result !== undefined) return result.done;
    } catch (error) {
      const code = codeOf(error);
      if (!CONFLICTS.has(code) && !LOST.test(code)) throw asGalleryError(what, place, error);
      reason = error;
    }
    if (n === ATTEMPTS) throw asGalleryError(what, place, reason);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(2 ** n, LONGEST_PAUSE)));
  }
}

/** An error of the driver as one sentence, in which no password stands. */
export function asGalleryError(what: "open" | "read" | "change", place: string, error: unknown): TriptychError {
  if (error instanceof TriptychError) return error;
  if (codeOf(error) === DISK_FULL) return new StorageFullError(place);
  return new GalleryError(`Cannot ${what} the gallery in ${place}: ${messageOf(error)}; check the server.`);
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
