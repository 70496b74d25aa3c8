import { addInParts, type Contender } from "./contender.ts";
import { DIMENSIONS } from "./vectors.ts";

interface Matches {
  keys: BigUint64Array;
}

/** What is used of the package. */
interface Usearch {
  exactSearch(
    dataset: Float32Array,
    queries: Float32Array,
    dimensions: number,
    count: number,
    metric: string,
    threads: number,
  ): Matches;
  Index: new (options: Record<string, unknown>) => {
    add(keys: BigUint64Array, vectors: Float32Array, threads: number): void;
    search(query: Float32Array, k: number, threads: number): Matches;
  };
}

const METRIC = "l2sq";

/** The exact search of npm's `usearch`, a native add-on, over float32 on one thread; it takes no view into a larger array. */
export const usearchExact: Contender = {
  name: "usearch, exact",
  async build({ values }) {
    const { exactSearch } = await load();
    return {
      search: (query, k) => Promise.resolve(numbersOf(exactSearch(values, query.slice(), DIMENSIONS, k, METRIC, 1))),
    };
  },
};

/** Its approximate index (HNSW) over 8-bit numbers, the fastest that it has; built on two threads, searched on one. */
export const usearchApproximate: Contender = {
  name: "usearch, HNSW i8",
  async build(vectors) {
    const { Index } = await load();
    const index = new Index({ dimensions: DIMENSIONS, metric: METRIC, quantization: "i8" });
    const missing = addInParts(vectors, 5_000, (first, end) => {
      const keys = BigUint64Array.from({ length: end - first }, (_, i) => BigInt(first + i));
      index.add(keys, vectors.values.subarray(first * DIMENSIONS, end * DIMENSIONS), 2);
    });
    return missing ?? { search: (query, k) => Promise.resolve(numbersOf(index.search(query, k, 1))) };
  },
};

async function load(): Promise<Usearch> {
  return await import("npm:usearch@2.26.2") as unknown as Usearch;
}

function numbersOf({ keys }: Matches): number[] {
  return Array.from(keys, Number);
}
