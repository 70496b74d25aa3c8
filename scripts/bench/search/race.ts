import { median } from "../median.ts";
import { memoryReads } from "./bandwidth.ts";
import type { Contender, Searcher } from "./contender.ts";
import { makeVectors, vectorOf, type Vectors } from "./vectors.ts";

/** How many are asked for. */
export const NEAREST = 10;
/** Searches in a row, before the next contender has its turn. */
const TURN = 5;
/** Seeds of the vectors that are searched, and of the queries. */
const ENROLLED = 2, ASKED = 3;

/** What one contender reached on so many vectors, or why it did not take part. */
export interface Raced {
  contender: string;
  count: number;
  missing?: string;
  /** Milliseconds of a search. */
  times: number[];
  /** The share of the nearest that it found. */
  recall: number;
}

/** What a race found. */
export interface Race {
  raced: Raced[];
  /** The most that one core read from the memory in the meantime, by any way: GB/s, the median over the rounds. */
  bandwidth: number;
}

/**
 * All contenders search the same vectors for the same queries, a few each in turn, so that what else the machine does slows all
 * of them.
 *
 * @param oracle the name of the contender that the others' recall is measured by
 */
export async function race(
  contenders: readonly Contender[],
  count: number,
  rounds: number,
  oracle: string,
  note: (text: string) => void,
): Promise<Race> {
  const vectors = makeVectors(count, ENROLLED), queries = makeVectors(rounds * TURN, ASKED);
  const searchers = new Map<string, Searcher>(), raced = new Map<string, Raced>();
  for (const { name, build } of contenders) {
    note(`${name}: building for ${count} vectors`);
    const built = await build(vectors).catch((error) => `does not run here: ${String(error).split("\n")[0]}`);
    raced.set(name, {
      contender: name,
      count,
      times: [],
      recall: 0,
      ...(typeof built === "string" && { missing: built }),
    });
    if (typeof built !== "string") searchers.set(name, built);
  }
  const reads = await memoryReads(), rates = reads.map(() => [] as number[]);
  for (let round = -1; round < rounds; round++) {
    const turn = Array.from({ length: TURN }, (_, i) => Math.max(round, 0) * TURN + i);
    const found = new Map<string, number[][]>();
    for (const [name, searcher] of searchers) {
      const { times, results } = await timed(searcher, queries, turn);
      found.set(name, results);
      // The first round warms up.
      if (round >= 0) raced.get(name)!.times.push(...times);
    }
    for (const [i, { bytes, read }] of reads.entries()) {
      const start = performance.now();
      read();
      rates[i].push(bytes / 1e6 / (performance.now() - start));
    }
    if (round < 0) continue;
    for (const [name, results] of found) raced.get(name)!.recall += recallOf(results, found.get(oracle)!) / rounds;
  }
  for (const searcher of searchers.values()) await searcher.close?.();
  return { raced: [...raced.values()], bandwidth: Math.max(...rates.map(median)) };
}

async function timed(searcher: Searcher, queries: Vectors, turn: readonly number[]) {
  const times: number[] = [], results: number[][] = [];
  for (const query of turn) {
    const start = performance.now();
    results.push(await searcher.search(vectorOf(queries, query), NEAREST));
    times.push(performance.now() - start);
  }
  return { times, results };
}

function recallOf(results: readonly number[][], right: readonly number[][]): number {
  const found = results.flatMap((result, i) => result.filter((number) => right[i].includes(number)));
  return found.length / right.flat().length;
}
