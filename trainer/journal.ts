import type { EpochRecord } from "./checkpoint.ts";
import type { StepRecord } from "./fit.ts";
import type { Progress, Reporter } from "./report/progress.ts";
import { openRunLog, type RunLog } from "./report/run_log.ts";
import { stopwatch } from "./stopwatch.ts";

/** Tells of a run while it goes on: on the terminal, in `metrics.jsonl` and to TensorBoard. */
export interface Journal {
  /** Begins or ends a part of the run in which steps follow each other: what lies between is not counted as training. */
  begin(): void;
  end(): void;
  /** @param waitedMs how long the run has waited for its batches so far */
  step(record: StepRecord, waitedMs: number): void;
  skip(): void;
  epoch(record: EpochRecord): Promise<void>;
  /** Seconds of training so far. */
  seconds(): number;
  close(): Promise<void>;
}

/** Where a run is, and what it has behind it. */
export interface JournalOptions {
  out: string;
  reporter: Reporter;
  totalSteps: number;
  /** Steps and seconds before. */
  startStep: number;
  seconds: number;
}

/** Opens the journal of a run; what it says of later steps than the first one is struck out. */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { out, reporter, totalSteps, startStep } = options;
  const log: RunLog = await openRunLog(out, { resumeFromStep: startStep });
  let clock = stopwatch(), earlier = options.seconds, bar: Progress | undefined;
  let skipped = 0, recall = "";
  const seconds = () => earlier + (bar ? clock.seconds() : 0);
  return {
    begin() {
      clock = stopwatch();
      bar = reporter.progress("Training", totalSteps);
    },
    end() {
      earlier = seconds();
      bar?.done();
      bar = undefined;
    },
    step(record, waitedMs) {
      const imagesPerSecond = clock.rate(record.images);
      const waitingShare = clock.waitingShare(waitedMs);
      log.step({ ...record, imagesPerSecond, waitingShare });
      bar?.update(record.step, `${describe(record, imagesPerSecond, waitingShare)}${recall}`);
    },
    skip: () => void skipped++,
    async epoch(record) {
      if (record.valRecallAt1 !== undefined) recall = `  val recall@1 ${record.valRecallAt1.toFixed(3)}`;
      await log.epoch(record);
    },
    seconds,
    async close() {
      await log.close();
      if (skipped > 0) {
        reporter.warn(
          `${skipped} batches had no anchor with a positive and a negative and taught nothing; take sampler=pk.`,
        );
      }
    },
  };
}

function describe(record: StepRecord, imagesPerSecond: number, waiting: number): string {
  const percent = (share: number) => `${Math.round(100 * share)}%`;
  return [
    `loss ${record.loss.toFixed(4)}`,
    `active triplets ${percent(record.activeTripletShare)}`,
    `${imagesPerSecond.toFixed(0)} images/s`,
    `waiting for data ${percent(waiting)}`,
  ].join("  ");
}
