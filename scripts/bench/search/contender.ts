import type { Vectors } from "./vectors.ts";

/** What a contender has made of the vectors, ready to be searched. */
export interface Searcher {
  /** The numbers of the `k` vectors that it holds to be nearest, the nearest first. */
  search(query: Float32Array, k: number): Promise<number[]>;
  /** Releases what is held. */
  close?(): Promise<void>;
}

/** Something that searches. A new one is a file of its own and a line in the list of `scripts/bench/search.ts`. */
export interface Contender {
  name: string;
  /** @returns a searcher, or in words why there is none for so many vectors on this machine */
  build(vectors: Vectors): Promise<Searcher | string>;
}

/** Approximate indexes are given up on when they would take longer than this to build. */
export const BUILD_SECONDS = 60;

/** Adds the vectors in parts. @returns in words why not, if it would take too long */
export function addInParts(vectors: Vectors, part: number, add: (first: number, end: number) => void): string | null {
  const start = performance.now();
  for (let first = 0; first < vectors.count; first += part) {
    const end = Math.min(first + part, vectors.count);
    add(first, end);
    const seconds = (performance.now() - start) / 1000, whole = seconds / end * vectors.count;
    // The first parts are quicker than the later ones, so that this is early rather than late.
    if (whole > BUILD_SECONDS) return `not built: it would take more than ${BUILD_SECONDS} s`;
  }
  return null;
}
