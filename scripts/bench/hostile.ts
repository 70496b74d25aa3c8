import { join } from "node:path";
import { UsageError } from "../../shared/errors.ts";
import { alignColumns } from "../../trainer/report/tables.ts";
import { bombs } from "../hostile/bombs.ts";
import { goodImages, mutated } from "../hostile/mutations.ts";
import { memoryRise, percentile, type Tried, tried } from "../hostile/tried.ts";
import type { Benchmark, BenchmarkOutcome } from "./benchmark.ts";

const DEFAULT_MUTATIONS = 10_000;

interface Figure {
  files: string;
  taken: number;
  refused: number;
  /** Milliseconds until a file is refused. */
  refusalP50: number;
  refusalP99: number;
  /** Megabytes; of bombs, each by itself. */
  memoryRise: number;
}

/** What files that are made to do harm cost: damaged ones, bombs, and those of a folder. */
export const benchmark: Benchmark = {
  about: "what damaged images, bombs, and the files of a folder cost: memory, and time until they are refused",
  options: { mutations: { type: "string" }, corpus: { type: "string" } },
  usage: `
  --mutations N          damaged images (default ${DEFAULT_MUTATIONS})
  --corpus DIR           a folder of files that may be anything, with those in it (default none)`.slice(1),
  async run({ mutations = String(DEFAULT_MUTATIONS), corpus }, reporter): Promise<BenchmarkOutcome> {
    const count = Number(mutations);
    if (!Number.isInteger(count) || count < 1) {
      throw new UsageError(`--mutations ${mutations} is not right; give 1 or more.`);
    }
    const figures = [await judged(`${count} mutations`, damaged(count)), await ofBombs()];
    reporter.info("Mutations and bombs done.");
    if (typeof corpus === "string") figures.push(await judged(corpus, filesOf(corpus)));
    return { engine: "wasm", settings: { mutations: count, corpus }, figures, table: tableOf(figures), plots: {} };
  },
};

async function* damaged(count: number): AsyncGenerator<Uint8Array> {
  const good = Object.values(await goodImages());
  // The decoders are compiled by the first image.
  for (const image of good) yield image;
  for (let i = 0; i < count; i++) yield mutated(good[i % good.length], i);
}

async function* filesOf(folder: string): AsyncGenerator<Uint8Array> {
  for await (const { name, isDirectory, isFile } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) yield* filesOf(path);
    if (isFile) yield await Deno.readFile(path);
  }
}

async function judged(files: string, images: AsyncIterable<Uint8Array>): Promise<Figure> {
  const all: Tried[] = [];
  const rise = await memoryRise(async () => {
    for await (const image of images) all.push(await tried(image));
  });
  return figureOf(files, all, rise);
}

async function ofBombs(): Promise<Figure> {
  const all: Tried[] = [], rises: number[] = [];
  const made = Object.values(await bombs());
  for (const bomb of made) rises.push(await memoryRise(async () => all.push(await tried(bomb))));
  return figureOf(`${made.length} bombs`, all, Math.max(...rises));
}

function figureOf(files: string, all: Tried[], memoryRise: number): Figure {
  const refusals = all.filter(({ outcome }) => outcome === "refused").map(({ milliseconds }) => milliseconds);
  return {
    files,
    taken: all.length - refusals.length,
    refused: refusals.length,
    refusalP50: percentile(refusals, 0.5),
    refusalP99: percentile(refusals, 0.99),
    memoryRise,
  };
}

function tableOf(figures: Figure[]): string {
  return alignColumns([
    ["", "taken", "refused", "refusal p50, ms", "refusal p99, ms", "memory rises by, MB"],
    ...figures.map(({ files, taken, refused, refusalP50, refusalP99, memoryRise }) => [
      ...[files, String(taken), String(refused)],
      ...[refusalP50.toFixed(2), refusalP99.toFixed(1), memoryRise.toFixed(0)],
    ]),
  ]);
}
