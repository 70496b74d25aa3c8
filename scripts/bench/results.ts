import { DataError } from "../../shared/errors.ts";
import { replaceFile } from "../../shared/replace_file.ts";
import type { BenchmarkOutcome } from "./benchmark.ts";

/** What the results file says of one benchmark. */
export interface BenchmarkResult extends Pick<BenchmarkOutcome, "settings" | "figures"> {
  /** When it ended, ISO 8601. */
  date: string;
  machine: { cores: number; deno: string; os: string; engine: string };
}

/** An outcome with when and where it came about. */
export function resultOf({ engine, settings, figures }: BenchmarkOutcome, date: Date): BenchmarkResult {
  const { arch, os } = Deno.build;
  const machine = { cores: navigator.hardwareConcurrency, deno: Deno.version.deno, os: `${os} ${arch}`, engine };
  return { date: date.toISOString(), machine, settings, figures };
}

/**
 * Writes results into the file that holds those of all benchmarks, each under its name; those of others stay.
 *
 * @throws {DataError} if the file is there and is not JSON
 */
export async function mergeResults(path: string, results: Record<string, BenchmarkResult>): Promise<void> {
  const merged = { ...await readResults(path), ...results };
  await replaceFile(path, [new TextEncoder().encode(`${JSON.stringify(merged, null, 2)}\n`)]);
}

async function readResults(path: string): Promise<Record<string, BenchmarkResult>> {
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    if (error instanceof SyntaxError) {
      throw new DataError(`${path} is not JSON; move it away and run the benchmark again.`);
    }
    throw error;
  }
}
