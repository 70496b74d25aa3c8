/**
 * Measures what the documents say, and keeps the figures.
 *
 *     deno task bench [NAME] [options]
 *
 * @module
 */
import { parseArgs } from "node:util";
import { messageOf, UsageError } from "../shared/errors.ts";
import { terminalReporter } from "../trainer/report/progress.ts";
import type { Benchmark, BenchmarkOutcome, BenchmarkValues } from "./bench/benchmark.ts";
import { mergeResults, resultOf } from "./bench/results.ts";

/** Each is loaded when it runs, so that none is measured beside the engine of another. */
const BENCHMARKS: Record<string, () => Promise<{ benchmark: Benchmark }>> = {
  cold: () => import("./bench/cold.ts"),
  decode: () => import("./bench/decode.ts"),
  hostile: () => import("./bench/hostile.ts"),
  embed: () => import("./bench/embed.ts"),
  faces: () => import("./bench/faces.ts"),
  load: () => import("./bench/load.ts"),
  losses: () => import("./bench/losses.ts"),
  search: () => import("./bench/search.ts"),
  train: () => import("./bench/train.ts"),
};
const EXIT = { done: 0, failed: 1, usage: 2 };

/** Options of every benchmark. */
const OPTIONS = {
  out: { type: "string", default: "bench/results.json" },
  plots: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

/**
 * Runs the benchmarks that the arguments name.
 *
 * @returns the exit status: 0 done, 1 failed, 2 wrong usage
 */
export async function main(args: string[]): Promise<number> {
  const own = args[0]?.startsWith("-") ? undefined : args[0];
  try {
    if (own !== undefined && !Object.hasOwn(BENCHMARKS, own)) {
      throw new UsageError(`There is no benchmark ${own}; there are ${Object.keys(BENCHMARKS).join(", ")}.`);
    }
    const benchmark = own === undefined ? undefined : (await BENCHMARKS[own]()).benchmark;
    const { out, plots, help, ...values } = parse(benchmark, own === undefined ? args : args.slice(1));
    if (help) return console.log(await usage()), EXIT.done;
    for (const name of own === undefined ? Object.keys(BENCHMARKS) : [own]) {
      const { benchmark } = await BENCHMARKS[name]();
      const outcome = await benchmark.run(values, terminalReporter());
      await keep(name, outcome, out as string, plots as string | undefined);
    }
    return EXIT.done;
  } catch (error) {
    console.error(`error: ${messageOf(error)}`);
    return error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}

async function keep(name: string, outcome: BenchmarkOutcome, out: string, plots: string | undefined): Promise<void> {
  console.log(`${name}:\n${outcome.table}\n`);
  await mergeResults(out, { [name]: resultOf(outcome, new Date()) });
  if (plots === undefined) return;
  await Deno.mkdir(plots, { recursive: true });
  for (const [file, svg] of Object.entries(outcome.plots)) await Deno.writeTextFile(`${plots}/${file}`, svg);
}

function parse(benchmark: Benchmark | undefined, args: string[]): BenchmarkValues {
  try {
    return parseArgs({ args, options: { ...benchmark?.options, ...OPTIONS } }).values as BenchmarkValues;
  } catch (error) {
    throw new UsageError(`${messageOf(error)} See --help; options of a benchmark stand after its name.`);
  }
}

async function usage(): Promise<string> {
  const own = await Promise.all(
    Object.entries(BENCHMARKS).map(async ([name, load]) => {
      const { benchmark: { about, usage } } = await load();
      return `${name}: ${about}\n${usage}`;
    }),
  );
  return `Measures what the documents say, prints the figures and keeps them.

Usage: deno task bench [NAME] [options]; without a name all run

  --out FILE             where the figures go, beside those of other benchmarks (default ${OPTIONS.out.default})
  --plots DIR            writes plots as SVG

${own.join("\n\n")}`;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
