import type * as tf from "@tensorflow/tfjs";
import type { Card, Evaluation, InputSpec } from "../shared/card.ts";
import { DataError, UsageError } from "../shared/errors.ts";
import {
  captureTensors,
  type Checkpoint,
  hasCheckpoint,
  readCheckpoint,
  restoreOptimizer,
  restoreWeights,
  writeCheckpoint,
} from "./checkpoint.ts";
import { watchCollapse } from "./collapse.ts";
import type { Config } from "./config.ts";
import { labelsOf, trainingBatches } from "./data/batches.ts";
import { type Dataset, hashOf, readDataset } from "./data/dataset.ts";
import { type Photo, type Probe, type ReadOptions, readPhotos, readProbes } from "./data/photos.ts";
import { pkSampler } from "./data/sampler.ts";
import { chooseEngine } from "./engines/mod.ts";
import { fit, type StepRecord } from "./fit.ts";
import { tripletSemihard } from "./losses/mod.ts";
import { createEmbedder } from "./models/embedder.ts";
import { Adam, trainableVariables } from "./optimizers/adam.ts";
import { inputOf, judgeNetwork, publish } from "./publish.ts";
import type { Progress, Reporter } from "./report/progress.ts";
import { learningRateAt } from "./schedule.ts";

/** A training run as a person asks for it. */
export interface TrainJob {
  /** The folder of photos. */
  data: string;
  /** Where model, checkpoint and metrics go. */
  out: string;
  config: Config;
  /** `auto` or the name of an engine. */
  engine: string;
  resume: boolean;
  /** The share of files that may be unreadable. */
  maxUnreadable: number;
  reporter: Reporter;
  /** Ends the run after the step under way, with a checkpoint written. */
  signal: AbortSignal;
}

/** The figures of a run, all on identities never trained on. */
export interface TrainResult {
  untrained: Evaluation;
  trained: Evaluation;
  card: Card;
}

/**
 * The way from photos to a model directory: read, train, judge, export, verify.
 *
 * @throws {DataError} if the photos cannot be used
 * @throws {UsageError} if `out` holds another run
 * @throws {ModelError} if the exported model is not the one that was trained
 */
export async function train(job: TrainJob): Promise<TrainResult> {
  const { reporter, signal } = job;
  const before = await earlierCheckpoint(job);
  const config = before?.config ?? job.config;
  const engine = await chooseEngine(job.engine);
  reporter.info(`Engine: ${engine.name}, ${engine.device}. ${engine.reason}`);
  const input = inputOf(config);
  const dataset = await readDataset(job.data, config.seed);
  const dataHash = await hashOf(dataset);
  if (before && before.dataHash !== dataHash) {
    throw new DataError(
      `The photos in ${job.data} are not those that the run in ${job.out} was trained on; give these, or another --out.`,
    );
  }
  const { photos, probes } = await readData(dataset, input, job);

  const model = createEmbedder({ ...config, input });
  const untrained = (await judgeNetwork(model, probes, config)).evaluation;
  const checkpoint = await trainModel(model, photos, { ...job, config, input, dataHash, engine: engine.name, before });
  signal.throwIfAborted();

  const { trained, card } = await publish({ model, checkpoint, probes, scheme: config.quantize, out: job.out });
  const figures = { config, untrained, trained, exported: card.evaluation, history: checkpoint.history };
  await Deno.writeTextFile(`${job.out}/metrics.json`, JSON.stringify(figures, null, 2));
  reporter.info(
    `Verified the exported model: mean cosine ${card.quantization.meanCosine.toFixed(6)} to the float32 network.`,
  );
  return { untrained, trained, card };
}

async function earlierCheckpoint({ out, resume }: TrainJob): Promise<Checkpoint | undefined> {
  const exists = await hasCheckpoint(out);
  if (exists && !resume) {
    throw new UsageError(`${out} holds a training run already: go on with it with --resume, or give another --out.`);
  }
  return exists ? await readCheckpoint(out) : undefined;
}

async function readData(
  dataset: Dataset,
  input: InputSpec,
  job: TrainJob,
): Promise<{ photos: Photo[]; probes: Probe[] }> {
  const bar = job.reporter.progress("Reading photos", dataset.train.length + dataset.test.length);
  const from = (start: number): ReadOptions => ({
    maxUnreadable: job.maxUnreadable,
    onProgress: (done) => bar.update(start + done),
  });
  const train = await readPhotos(dataset.train, input, from(0));
  const test = await readProbes(dataset.test, input, from(dataset.train.length));
  bar.done();
  for (const { path, reason } of [...train.unreadable, ...test.unreadable]) {
    job.reporter.warn(`skipped ${path}: ${reason}`);
  }
  const identities = (samples: { identity: string }[]) => new Set(samples.map((sample) => sample.identity)).size;
  job.reporter.info(
    `Training on ${train.items.length} photos of ${
      identities(train.items)
    } identities, judging on ${test.items.length} photos of ${identities(test.items)} others.`,
  );
  return { photos: train.items, probes: test.items };
}

interface TrainingContext extends TrainJob {
  input: InputSpec;
  dataHash: string;
  engine: string;
  before: Checkpoint | undefined;
}

async function trainModel(model: tf.LayersModel, photos: Photo[], context: TrainingContext): Promise<Checkpoint> {
  const { config, input, dataHash, before, data, engine, out, reporter, signal } = context;
  const plan = planOf(config, photos.length);
  const optimizer = new Adam(trainableVariables(model), { learningRate: config.learningRate });
  if (before) {
    restoreWeights(model, before);
    restoreOptimizer(optimizer, model, before);
    reporter.info(`Going on after step ${before.step} of ${plan.totalSteps}.`);
  }
  const history = before?.history ?? [];
  const clock = stopwatch(before?.seconds ?? 0);
  const save = async (step: number): Promise<Checkpoint> => {
    const tensors = await captureTensors(model, optimizer);
    const checkpoint = { config, step, seconds: clock.seconds(), engine, data, dataHash, history, tensors };
    await writeCheckpoint(out, checkpoint);
    return checkpoint;
  };
  const bar = reporter.progress("Training", plan.totalSteps);
  const collapse = watchCollapse(config.margin);
  const done = await fit({
    model,
    loss: tripletSemihard({ margin: config.margin, distance: config.distance }),
    optimizer,
    batches: trainingBatches(photos, input, pkSampler(labelsOf(photos), config), config, config.seed),
    learningRate: (step) => learningRateAt(step, { ...config, totalSteps: plan.totalSteps }),
    startStep: before?.step ?? 0,
    ...plan,
    onStep: (record) => {
      report(bar, record, clock);
      const warning = collapse(record);
      if (warning) reporter.warn(warning);
    },
    onEpoch: async (record) => {
      history.push(record);
      if (record.step < plan.totalSteps) await save(record.step);
    },
    signal,
  });
  bar.done();
  if (done < plan.totalSteps) {
    reporter.info(`Stopped after step ${done} of ${plan.totalSteps}; --resume goes on from there.`);
  }
  const checkpoint = await save(done);
  optimizer.dispose();
  return checkpoint;
}

function planOf(config: Config, photos: number): { stepsPerEpoch: number; totalSteps: number } {
  const batch = config.identitiesPerBatch * config.imagesPerIdentity;
  const stepsPerEpoch = Math.max(1, Math.round(photos / batch));
  return { stepsPerEpoch, totalSteps: Math.min(config.epochs * stepsPerEpoch, config.maxSteps ?? Infinity) };
}

function report(bar: Progress, record: StepRecord, clock: Stopwatch): void {
  const active = `${Math.round(100 * record.activeTripletShare)}%`;
  bar.update(
    record.step,
    `loss ${record.loss.toFixed(4)}  active triplets ${active}  ${clock.rate(record.images)} images/s`,
  );
}

interface Stopwatch {
  /** Seconds in all, those of earlier runs included. */
  seconds(): number;
  /** Images per second since the call before, smoothed. */
  rate(images: number): string;
}

function stopwatch(earlier: number): Stopwatch {
  const start = performance.now();
  let last = start, perSecond = 0;
  return {
    seconds: () => earlier + (performance.now() - start) / 1000,
    rate(images) {
      const now = performance.now();
      const current = 1000 * images / (now - last);
      perSecond = perSecond === 0 ? current : 0.9 * perSecond + 0.1 * current;
      last = now;
      return perSecond.toFixed(0);
    },
  };
}
