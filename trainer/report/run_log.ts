import { DataError } from "../../shared/errors.ts";
import { replaceFile } from "../../shared/replace_file.ts";
import { createEventFile, writeAll } from "./event_file.ts";

/** One training step as it is logged. */
export interface LoggedStep {
  /** Steps done, this one included. */
  readonly step: number;
  readonly loss: number;
  /** Share of what the loss compares that does not satisfy it yet, 0 to 1. */
  readonly activeTripletShare: number;
  readonly meanPairwiseDistance: number;
  /** Mean length of the embeddings before they are scaled to unit length. */
  readonly embeddingNorm: number;
  /** Length of the gradient of all weights, before it is clipped. */
  readonly gradientNorm: number;
  readonly learningRate: number;
  readonly imagesPerSecond: number;
  /** Share of the step's time in which it waited for its batch, 0 to 1. */
  readonly waitingShare: number;
}

/** One epoch as it is logged: means over its steps, and the recall on the identities to watch by. */
export interface LoggedEpoch {
  readonly epoch: number;
  /** Steps done at its end. */
  readonly step: number;
  readonly loss: number;
  readonly activeTripletShare: number;
  readonly meanPairwiseDistance: number;
  readonly learningRate: number;
  readonly valRecallAt1?: number;
}

/** The log of a run: `metrics.jsonl`, a JSON object a line, and a TensorBoard event file. */
export interface RunLog {
  /** Keeps a step until the epoch ends. */
  step(record: LoggedStep): void;
  /** Logs an epoch and writes all that was kept. */
  epoch(record: LoggedEpoch): Promise<void>;
  /** Writes what was kept and closes the files. */
  close(): Promise<void>;
}

const FILE = "metrics.jsonl";

/** The fields of a step, with the names that TensorBoard shows. */
const STEP_TAGS: Record<Exclude<keyof LoggedStep, "step">, string> = {
  loss: "train/loss",
  activeTripletShare: "train/active_triplet_share",
  meanPairwiseDistance: "train/mean_pairwise_distance",
  embeddingNorm: "train/embedding_norm",
  gradientNorm: "train/gradient_norm",
  learningRate: "train/learning_rate",
  imagesPerSecond: "train/images_per_second",
  waitingShare: "train/waiting_share",
};

/**
 * Opens the log of a run, new or gone on with: what it says of steps after `resumeFromStep` is cut off, since these steps are
 * done again.
 *
 * @param directory the run's, which exists
 * @param options.resumeFromStep steps done before, 0 for a new run
 * @throws {DataError} if the log of an earlier session is damaged elsewhere than at its end
 */
export async function openRunLog(
  directory: string,
  { resumeFromStep }: { resumeFromStep: number },
): Promise<RunLog> {
  const path = `${directory}/${FILE}`;
  const kept = (await readLines(path)).filter(({ step }) => step <= resumeFromStep);
  await replaceFile(path, [lines(kept)]);
  const events = await createEventFile(directory, resumeFromStep + 1);
  const file = await Deno.open(path, { append: true });
  let pending: LogLine[] = [];
  const write = async () => {
    const records = pending;
    pending = [];
    await writeAll(file, [lines(records)]);
    await events.flush();
  };
  // Lines are written one flush after the other, even where nobody awaited the one before.
  let written = Promise.resolve();
  const flush = () => written = written.then(write);
  return {
    step(record) {
      const names = Object.keys(STEP_TAGS) as (keyof typeof STEP_TAGS)[];
      pending.push({
        type: "step",
        step: record.step,
        ...Object.fromEntries(names.map((name) => [name, record[name]])),
      });
      events.scalars(record.step, Object.fromEntries(names.map((name) => [STEP_TAGS[name], record[name]])));
    },
    async epoch(record) {
      pending.push({ type: "epoch", ...record });
      if (record.valRecallAt1 !== undefined) events.scalars(record.step, { "val/recall_at_1": record.valRecallAt1 });
      await flush();
    },
    async close() {
      try {
        await flush();
      } finally {
        file.close();
        await events.close();
      }
    },
  };
}

/**
 * The steps and epochs of a run's `metrics.jsonl`; none if there is no such file. A last line that a crash tore is left out. A
 * figure that was not finite is NaN.
 *
 * @throws {DataError} if the file is damaged elsewhere
 */
export async function readRunLog(directory: string): Promise<{ steps: LoggedStep[]; epochs: LoggedEpoch[] }> {
  const records = await readLines(`${directory}/${FILE}`);
  const of = (type: LogLine["type"]) =>
    records.filter((record) => record.type === type).map(({ type: _, ...record }) => record as unknown);
  return { steps: of("step") as LoggedStep[], epochs: of("epoch") as LoggedEpoch[] };
}

interface LogLine {
  type: "step" | "epoch";
  step: number;
}

async function readLines(path: string): Promise<LogLine[]> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  const texts = text.split("\n").filter((line) => line !== "");
  return texts.flatMap((line, i) => {
    const record = parse(line);
    if (record) return [record];
    if (i === texts.length - 1) return [];
    throw new DataError(`Line ${i + 1} of ${path} is damaged; move the file away, and the run goes on without it.`);
  });
}

function parse(line: string): LogLine | undefined {
  try {
    const record = JSON.parse(line, (_, value) => value === null ? NaN : value) as LogLine;
    return record.type === "step" || record.type === "epoch" ? record : undefined;
  } catch {
    return undefined;
  }
}

/** JSON has no number that is not finite: it becomes null. */
function lines(records: readonly LogLine[]): Uint8Array {
  return new TextEncoder().encode(records.map((record) => `${JSON.stringify(record)}\n`).join(""));
}
