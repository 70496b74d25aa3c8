import { UsageError } from "../../shared/errors.ts";
import { alignColumns } from "../../trainer/report/tables.ts";
import type { Benchmark, BenchmarkOutcome } from "./benchmark.ts";
import { median } from "./median.ts";
import type { Contender } from "./search/contender.ts";
import { gallery } from "./search/gallery.ts";
import { hnswlib } from "./search/hnswlib.ts";
import { postgres } from "./search/postgres.ts";
import { NEAREST, type Race, race, type Raced } from "./search/race.ts";
import { sqliteVec } from "./search/sqlite_vec.ts";
import { typedArrayLoop } from "./search/typed_array_loop.ts";
import { usearchApproximate, usearchExact } from "./search/usearch.ts";
import { DIMENSIONS } from "./search/vectors.ts";

/** In the order of the table. */
const CONTENDERS: readonly Contender[] = [
  gallery,
  typedArrayLoop,
  usearchExact,
  usearchApproximate,
  sqliteVec,
  hnswlib,
];
const SIZES = [10_000, 100_000, 1_000_000];
const ROUNDS = 20;
/** Bytes that the scan reads of an image: the components at 8 bits, their sum and their scale. */
const SCANNED = DIMENSIONS + 8;
/** Bytes of an embedding at 8 bits and as float32, which the memory of a gallery is measured by. */
const VECTORS = DIMENSIONS * 5;

/** Exact search in the process, beside what npm has for it and what the memory lends one core. */
export const benchmark: Benchmark = {
  about:
    `search for the ${NEAREST} nearest of vectors of ${DIMENSIONS}, beside npm's libraries, and a gallery's memory`,
  options: { sizes: { type: "string" }, rounds: { type: "string" }, postgres: { type: "string" } },
  usage: `  --sizes A,B            how many vectors (default ${SIZES.join(",")})
  --rounds N             contenders take turns of a few searches (default ${ROUNDS})
  --postgres URL         an empty database with pgvector, whose tables of a gallery are made anew (default: none is measured)`,
  async run(values, reporter): Promise<BenchmarkOutcome> {
    const sizes = values.sizes === undefined
      ? SIZES
      : String(values.sizes).split(",").map((size) => countOf(size, "sizes"));
    const rounds = countOf(values.rounds ?? ROUNDS, "rounds");
    const contenders = values.postgres === undefined
      ? CONTENDERS
      : [...CONTENDERS, ...postgres(String(values.postgres))];
    const memory = await measureMemory(Math.max(...sizes));
    const races: Race[] = [];
    for (const size of sizes) {
      races.push(await race(contenders, size, rounds, typedArrayLoop.name, (text) => reporter.info(text)));
    }
    const figures = { memory, races: races.map(figuresOf) };
    return { engine: "wasm", settings: { sizes, rounds }, figures, table: tableOf(races, memory), plots: {} };
  },
};

function countOf(value: unknown, option: string): number {
  const count = Number(value);
  if (!Number.isInteger(count) || count < 1) throw new UsageError(`--${option} ${value} is not right; give 1 or more.`);
  return count;
}

/** What a process has resident for each image of a gallery, beyond what one with a thousandth of them has. */
async function measureMemory(count: number): Promise<{ images: number; bytesPerImage: number; ofVectors: number }> {
  const fewImages = Math.ceil(count / 1000), few = await resident(fewImages), many = await resident(count);
  const bytesPerImage = Math.round((many - few) / (count - fewImages));
  return { images: count, bytesPerImage, ofVectors: bytesPerImage / VECTORS };
}

async function resident(count: number): Promise<number> {
  const child = new URL("search/memory_child.ts", import.meta.url).pathname;
  const args = ["run", "--quiet", "--v8-flags=--expose-gc", "--allow-read", "--allow-env", child, String(count)];
  const { stdout } = await new Deno.Command(Deno.execPath(), { args, stderr: "inherit" }).output();
  return Number(new TextDecoder().decode(stdout));
}

function figuresOf({ raced, bandwidth }: Race) {
  return {
    bandwidth,
    contenders: raced.map(({ contender, count, missing, times, recall }) =>
      missing === undefined
        ? { contender, count, p50: median(times), p99: percentile(times, 0.99), recall }
        : { contender, count, missing }
    ),
  };
}

function tableOf(races: readonly Race[], memory: Awaited<ReturnType<typeof measureMemory>>): string {
  const heads = ["vectors", "", "p50 ms", "p99 ms", `recall@${NEAREST}`, "of the loop", "of the memory bandwidth"];
  const rows = races.flatMap((race) => race.raced.map((raced) => rowOf(raced, race)));
  return [
    alignColumns([heads, ...rows]),
    ...races.map(({ raced, bandwidth }) =>
      `One core read ${bandwidth.toFixed(1)} GB/s from the memory while ${raced[0].count} vectors were searched.`
    ),
    ...races.flatMap(({ raced }) => raced).filter(({ missing }) => missing !== undefined).map(
      ({ contender, count, missing }) => `${contender}, ${count} vectors: ${missing}.`,
    ),
    `A gallery of ${memory.images} images takes ${memory.bytesPerImage} bytes each, ${
      memory.ofVectors.toFixed(2)
    } of their vectors'.`,
  ].join("\n");
}

function rowOf({ contender, count, missing, times, recall }: Raced, { raced, bandwidth }: Race): string[] {
  if (missing !== undefined) return [String(count), contender, "-", "-", "-", "-", ""];
  const loop = raced.find(({ contender }) => contender === typedArrayLoop.name)!;
  const p50 = median(times), share = SCANNED * count / 1e6 / p50 / bandwidth;
  return [
    String(count),
    contender,
    p50.toFixed(3),
    percentile(times, 0.99).toFixed(3),
    recall.toFixed(3),
    `1/${(median(loop.times) / p50).toFixed(1)}`,
    contender === gallery.name ? `${Math.round(100 * share)}%` : "",
  ];
}

/** The value that so large a share of them does not exceed. */
function percentile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1];
}
