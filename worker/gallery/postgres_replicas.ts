import type { Sql } from "postgres";
import type { SearchOptions } from "./gallery.ts";
import { type DatabaseSearch, searchDatabase } from "./postgres_search.ts";
import { readChanges } from "./postgres_records.ts";

/** How often is asked how far a replica must have come, milliseconds: so old may be what it finds. */
const POLL_MILLISECONDS = 1_000;

/** How long a replica that failed is left alone, milliseconds. */
const REST_MILLISECONDS = 10_000;

/** Searches of a database that others follow. */
export interface ReplicatedSearch {
  /** @param now milliseconds since 1970 */
  run(collection: string, embedding: Float32Array, options: SearchOptions, now: number): Promise<DatabaseSearch>;
  close(): void;
}

/**
 * Searches on replicas in turn. What one finds that has not come as far as the primary was a second ago is not taken: the
 * primary is asked then, as where a replica fails.
 */
export function replicatedSearch(primary: Sql, replicas: readonly Sql[]): ReplicatedSearch {
  const restUntil = replicas.map(() => -Infinity);
  let next = 0;
  let required: bigint | undefined;
  const poll = () => readChanges(primary).then((changes) => required = changes, () => {});
  const timer = replicas.length === 0 ? undefined : setInterval(poll, POLL_MILLISECONDS);

  /** @returns undefined if there is none that can be used */
  async function onReplica(...search: Parameters<ReplicatedSearch["run"]>): Promise<DatabaseSearch | undefined> {
    const n = next++ % replicas.length;
    if (performance.now() < restUntil[n]) return undefined;
    try {
      if (required === undefined) await poll();
      const found = await searchDatabase(replicas[n], ...search);
      return required !== undefined && found.changes >= required ? found : undefined;
    } catch {
      restUntil[n] = performance.now() + REST_MILLISECONDS;
      return undefined;
    }
  }

  return {
    run: async (...search) =>
      (replicas.length === 0 ? undefined : await onReplica(...search)) ?? await searchDatabase(primary, ...search),
    close: () => clearInterval(timer),
  };
}
