import type { ParseArgsConfig } from "node:util";
import type { Reporter } from "../../trainer/report/progress.ts";

/** A measurement that can be repeated by name. */
export interface Benchmark {
  /** What it measures, as a line of the help. */
  about: string;
  /** Its own options, as `parseArgs` takes them. */
  options: NonNullable<ParseArgsConfig["options"]>;
  /** What they mean, a line each. */
  usage: string;
  /**
   * @param values its own options; none are given where all benchmarks run
   * @throws {UsageError} if an option has an impossible value
   */
  run(values: BenchmarkValues, reporter: Reporter): Promise<BenchmarkOutcome>;
}

/** Options as given. */
export type BenchmarkValues = Record<string, string | boolean | undefined>;

/** What a benchmark found. */
export interface BenchmarkOutcome {
  /** The engine that it ran on, for a person. */
  engine: string;
  /** All that the figures depend on, apart from the machine. */
  settings: Record<string, unknown>;
  /** As they stand in the results file. */
  figures: unknown;
  /** The figures for the terminal, at most 120 columns. */
  table: string;
  /** SVG by file name. */
  plots: Record<string, string>;
}
