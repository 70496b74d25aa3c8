import { addInParts, type Contender } from "./contender.ts";
import { DIMENSIONS, vectorOf } from "./vectors.ts";

/** Edges of a node, and how many nodes are kept in view while building and searching: the package's defaults and common ones. */
const EDGES = 16, BUILDING = 200, SEARCHING = 64;

/** What is used of the package. */
interface Hnswlib {
  HierarchicalNSW: new (space: "ip", dimensions: number, file: string) => {
    initIndex(most: number, edges: number, building: number, seed: number): void;
    addPoint(vector: Float32Array, label: number, replace: boolean): void;
    setEfSearch(searching: number): void;
    searchKnn(query: Float32Array, k: number, filter: undefined): { neighbors: number[] };
  };
}

/** The approximate index of npm's `hnswlib-wasm` (HNSW); `hnswlib-node` wants a compiler, and does not run in Deno without. */
export const hnswlib: Contender = {
  name: "hnswlib-wasm, HNSW",
  async build(vectors) {
    const { HierarchicalNSW } = await load();
    const index = new HierarchicalNSW("ip", DIMENSIONS, "");
    index.initIndex(vectors.count, EDGES, BUILDING, 1);
    const missing = addInParts(vectors, 1_000, (first, end) => {
      for (let i = first; i < end; i++) index.addPoint(vectorOf(vectors, i), i, false);
    });
    index.setEfSearch(SEARCHING);
    return missing ?? { search: (query, k) => Promise.resolve(index.searchKnn(query, k, undefined).neighbors) };
  },
};

async function load(): Promise<Hnswlib> {
  // It runs wherever it takes a browser to be.
  Object.assign(globalThis, { window: globalThis });
  const { loadHnswlib } = await import("npm:hnswlib-wasm@0.8.2/dist/hnswlib.js");
  return await loadHnswlib() as unknown as Hnswlib;
}
