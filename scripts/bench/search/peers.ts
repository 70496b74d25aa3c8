import type { Search } from "../search.ts";

// Of the other libraries on npm, hnswlib-node must be compiled, and hnswlib-wasm runs in browsers alone.

/** What one writes without a library: a loop that keeps the best. */
export function arrayLoop(vectors: Float32Array, dimensions: number, k: number): Search {
  const size = vectors.length / dimensions;
  return (query) => {
    const best: { number: number; score: number }[] = [];
    for (let i = 0; i < size; i++) {
      let score = 0;
      for (let j = 0, from = i * dimensions; j < dimensions; j++) score += query[j] * vectors[from + j];
      if (best.length === k && score <= best[k - 1].score) continue;
      const place = best.findIndex((other) => other.score < score);
      best.splice(place < 0 ? best.length : place, 0, { number: i, score });
      if (best.length > k) best.pop();
    }
    return best.map(({ number }) => number);
  };
}

/** usearch's comparison with every vector, on one thread. */
export async function usearchExact(vectors: Float32Array, dimensions: number, k: number): Promise<Search> {
  const { exactSearch, MetricKind } = await import("usearch");
  return (query) =>
    [...exactSearch(vectors, query.slice(), dimensions, k, MetricKind.Cos, 1).keys as BigUint64Array].map(Number);
}

/** usearch's graph with its own settings, which finds most of the nearest. */
export async function usearchGraph(vectors: Float32Array, dimensions: number, k: number): Promise<Search> {
  const { Index, MetricKind } = await import("usearch");
  const index = new Index(dimensions, MetricKind.Cos);
  index.add(BigUint64Array.from({ length: vectors.length / dimensions }, (_, i) => BigInt(i)), vectors);
  return (query) => [...index.search(query, k, 1).keys as BigUint64Array].map(Number);
}
