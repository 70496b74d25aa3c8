import { UsageError } from "../../shared/errors.ts";
import { alignColumns } from "../../trainer/report/tables.ts";
import type { GallerySnapshot } from "../../shared/snapshot.ts";
import { DEFAULT_COLLECTION } from "../../worker/gallery/gallery.ts";
import { createMemoryGallery } from "../../worker/gallery/memory.ts";
import type { Benchmark, BenchmarkOutcome, BenchmarkValues } from "./benchmark.ts";
import { quantile } from "./median.ts";
import { readBandwidth } from "./search/bandwidth.ts";
import { arrayLoop, usearchExact, usearchGraph } from "./search/peers.ts";
import { clusteredVectors } from "./search/vectors.ts";

const DIMENSIONS = 128;
const K = 10;
const DEFAULT_SIZES = [10_000, 100_000, 1_000_000];
const DEFAULT_QUERIES = 100;
/** A graph of more takes minutes to build. */
const LARGEST_GRAPH = 100_000;

/** Finds the numbers of the K vectors nearest to a query, nearest first. */
export type Search = (query: Float32Array) => number[] | Promise<number[]>;

interface Row {
  size: number;
  contender: string;
  /** Milliseconds. */
  p50: number;
  p99: number;
  /** Share of the exact nearest that were found. */
  recall: number;
  /** Of the memory bandwidth that was measured; of those alone that read every vector. */
  share?: number;
}

/** Searches among many embeddings. */
export const benchmark: Benchmark = {
  about:
    "searches for the 10 nearest of 10,000 to 1,000,000 embeddings, beside other libraries, with the bandwidth reached",
  options: { sizes: { type: "string" }, queries: { type: "string" } },
  usage: `  --sizes N,...          how many subjects, one image each (default ${DEFAULT_SIZES})
  --queries N            of each contender, in turns (default ${DEFAULT_QUERIES})`,
  async run(values, reporter): Promise<BenchmarkOutcome> {
    const sizes = numbersOf(values, "sizes") ?? DEFAULT_SIZES;
    const [queries] = numbersOf(values, "queries") ?? [DEFAULT_QUERIES];
    const bandwidth = await readBandwidth();
    reporter.info(`One core reads ${bandwidth.toFixed(1)} GB/s.`);
    const rows: Row[] = [];
    for (const size of sizes) {
      reporter.info(`Searching ${size} subjects.`);
      rows.push(...await race(size, queries, bandwidth));
    }
    return {
      engine: "WebAssembly SIMD",
      settings: { dimensions: DIMENSIONS, k: K, sizes, queries },
      figures: { bandwidth, rows },
      table: `${tableOf(rows)}\n\nOne core reads ${bandwidth.toFixed(1)} GB/s from memory in WebAssembly SIMD.`,
      plots: {},
    };
  },
};

async function race(size: number, queries: number, bandwidth: number): Promise<Row[]> {
  const vectors = clusteredVectors(size, DIMENSIONS, 1), probes = clusteredVectors(queries, DIMENSIONS, 2);
  // What each reads of memory for one query, in bytes a vector.
  const contenders: { name: string; bytes?: number; search: Search }[] = [
    { name: "triptych, exact", bytes: DIMENSIONS + 4, search: ours(vectors, size) },
    { name: "loop over a Float32Array, exact", bytes: 4 * DIMENSIONS, search: arrayLoop(vectors, DIMENSIONS, K) },
    { name: "usearch, exact (native)", bytes: 4 * DIMENSIONS, search: await usearchExact(vectors, DIMENSIONS, K) },
  ];
  if (size <= LARGEST_GRAPH) {
    contenders.push({ name: "usearch, HNSW (native)", search: await usearchGraph(vectors, DIMENSIONS, K) });
  }
  const times = contenders.map((): number[] => []), found = contenders.map(() => 0);
  for (let i = -2; i < queries; i++) {
    const query = probes.subarray(Math.max(i, 0) * DIMENSIONS, (Math.max(i, 0) + 1) * DIMENSIONS);
    let exact: Set<number> | undefined;
    for (const [c, { search }] of contenders.entries()) {
      const start = performance.now();
      const nearest = await search(query);
      const milliseconds = performance.now() - start;
      if (i < 0) continue;
      times[c].push(milliseconds);
      exact ??= new Set(nearest);
      found[c] += nearest.filter((number) => exact!.has(number)).length;
    }
  }
  return contenders.map(({ name, bytes }, c) => {
    const p50 = quantile(times[c], 0.5);
    const share = bytes === undefined ? {} : { share: bytes * size / 1e6 / p50 / bandwidth };
    return { size, contender: name, p50, p99: quantile(times[c], 0.99), recall: found[c] / (K * queries), ...share };
  });
}

/** The gallery as the worker has it. */
function ours(vectors: Float32Array, size: number): Search {
  const subjects = Array.from({ length: size }, (_, i) => ({
    subject: String(i),
    metadata: {},
    expiresAt: null,
    revision: "",
    images: [{
      image: String(i),
      createdAt: "",
      embedding: vectors.subarray(i * DIMENSIONS, (i + 1) * DIMENSIONS),
    }],
  }));
  const snapshot: GallerySnapshot = {
    fingerprint: "sha256:",
    dimensions: DIMENSIONS,
    collections: [{ collection: DEFAULT_COLLECTION, subjects }],
  };
  const gallery = createMemoryGallery({ snapshot });
  return async (query) => {
    const { nearest } = await gallery.search(DEFAULT_COLLECTION, query, { k: K });
    return nearest.map(({ subject }) => Number(subject));
  };
}

function numbersOf(values: BenchmarkValues, option: string): number[] | undefined {
  const given = values[option];
  if (given === undefined) return undefined;
  const numbers = String(given).split(",").map(Number);
  if (numbers.every((number) => Number.isInteger(number) && number > 0)) return numbers;
  throw new UsageError(`--${option} ${given} is not right; give whole numbers above 0.`);
}

function tableOf(rows: Row[]): string {
  return alignColumns([
    ["subjects", "search", "p50 ms", "p99 ms", "recall@10", "of the bandwidth"],
    ...rows.map(({ size, contender, p50, p99, recall, share }) => [
      size.toLocaleString("en"),
      contender,
      p50.toFixed(2),
      p99.toFixed(2),
      recall.toFixed(3),
      share === undefined ? "" : `${(100 * share).toFixed(0)}%`,
    ]),
  ]);
}
