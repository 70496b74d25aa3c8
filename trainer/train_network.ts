import type * as tf from "@tensorflow/tfjs";
import type { InputSpec } from "../shared/card.ts";
import { captureState, type Checkpoint, restoreState, type Trainee, writeCheckpoint } from "./checkpoint.ts";
import { watchCollapse } from "./collapse.ts";
import type { Config } from "./config.ts";
import { labelsOf, trainingBatches } from "./data/batches.ts";
import type { Photo, Probe } from "./data/photos.ts";
import { pkSampler, type Sampler, shuffledSampler } from "./data/sampler.ts";
import { embedAll } from "./embed.ts";
import { fit, hasTriplet, type StepRecord } from "./fit.ts";
import { LOSSES, type TrainableLoss } from "./losses/mod.ts";
import { leaveOneOut } from "./metrics/mod.ts";
import { Adam, trainableVariables } from "./optimizers/adam.ts";
import { inputOf } from "./publish.ts";
import type { Progress, Reporter } from "./report/progress.ts";
import { learningRateAt } from "./schedule.ts";

/** What training needs besides the network. */
export interface Training {
  config: Config;
  photos: Photo[];
  /** Identities to watch by; may be none. */
  val: Probe[];
  /** Where to go on from. */
  before: Checkpoint | undefined;
  out: string;
  /** Recorded in the checkpoint. */
  data: string;
  dataHash: string;
  engine: string;
  reporter: Reporter;
  signal: AbortSignal;
}

/**
 * Trains a network to the end of its schedule, or until it is told to stop, with a checkpoint after every epoch and at the end.
 *
 * @returns the checkpoint at the end
 * @throws {ModelError} if the loss is not finite
 */
export async function trainNetwork(model: tf.LayersModel, training: Training): Promise<Checkpoint> {
  const { config, photos, val, before, out, data, dataHash, engine, reporter, signal } = training;
  const input = inputOf(config);
  const plan = planOf(config, photos.length);
  const { loss, variables } = createLoss(config, new Set(labelsOf(photos)).size);
  const optimizer = new Adam([...trainableVariables(model), ...variables], { learningRate: config.learningRate });
  const trainee: Trainee = { model, lossVariables: variables, optimizer };
  if (before) {
    restoreState(trainee, before);
    reporter.info(`Going on after step ${before.step} of ${plan.totalSteps}.`);
  }
  const history = before?.history ?? [];
  const clock = stopwatch(before?.seconds ?? 0);
  const save = async (step: number): Promise<Checkpoint> => {
    const state = await captureState(trainee);
    const checkpoint = { config, step, seconds: clock.seconds(), engine, data, dataHash, history, ...state };
    await writeCheckpoint(out, checkpoint);
    return checkpoint;
  };
  const bar = reporter.progress("Training", plan.totalSteps);
  const collapse = config.loss.startsWith("triplet") ? watchCollapse(config.margin ?? 1) : () => undefined;
  let valRecall = "", skipped = 0;
  const done = await fit({
    model,
    loss,
    optimizer,
    batches: trainingBatches(photos, input, samplerOf(photos, config), config, config.seed),
    learningRate: (step) => learningRateAt(step, { ...config, totalSteps: plan.totalSteps }),
    startStep: before?.step ?? 0,
    ...plan,
    onStep: (record) => {
      report(bar, record, clock, valRecall);
      const warning = collapse(record);
      if (warning) reporter.warn(warning);
    },
    // A loss with class centres compares rows with these, not with each other.
    teaches: variables.length > 0 ? () => true : hasTriplet,
    onSkip: () => skipped++,
    onEpoch: async (record) => {
      const validation = await validate(model, val, input);
      history.push({ ...record, ...validation });
      if (validation) valRecall = `  val recall@1 ${validation.valRecallAt1.toFixed(3)}`;
      if (record.step < plan.totalSteps) await save(record.step);
    },
    signal,
  });
  bar.done();
  if (skipped > 0) reporter.warn(`${skipped} batches had no anchor with a positive and a negative and taught nothing.`);
  if (done < plan.totalSteps) {
    reporter.info(`Stopped after step ${done} of ${plan.totalSteps}; --resume goes on from there.`);
  }
  const checkpoint = await save(done);
  optimizer.dispose();
  variables.forEach((variable) => variable.dispose());
  return checkpoint;
}

function createLoss({ loss, dimensions, seed, margin, distance }: Config, classes: number): TrainableLoss {
  return LOSSES[loss]({
    classes,
    dimensions,
    seed,
    ...(margin !== undefined && { margin }),
    ...(distance !== undefined && { distance }),
  });
}

function samplerOf(photos: Photo[], config: Config): Sampler {
  return config.sampler === "pk" ? pkSampler(labelsOf(photos), config) : shuffledSampler(photos.length, config);
}

function planOf(config: Config, photos: number): { stepsPerEpoch: number; totalSteps: number } {
  const batch = config.sampler === "pk" ? config.identitiesPerBatch * config.imagesPerIdentity : config.batchSize;
  const stepsPerEpoch = Math.max(1, Math.round(photos / batch));
  return { stepsPerEpoch, totalSteps: Math.min(config.epochs * stepsPerEpoch, config.maxSteps ?? Infinity) };
}

/** Recall@1 on identities that are not trained on, if there are some with two photos. */
async function validate(
  model: tf.LayersModel,
  val: Probe[],
  input: InputSpec,
): Promise<{ valRecallAt1: number } | undefined> {
  const labels = labelsOf(val);
  if (new Set(labels).size === labels.length) return undefined;
  const embeddings = await embedAll(model, val, input);
  return { valRecallAt1: leaveOneOut({ embeddings, labels }, [1]).recallAt[1] };
}

function report(bar: Progress, record: StepRecord, clock: Stopwatch, valRecall: string): void {
  const active = `${Math.round(100 * record.activeTripletShare)}%`;
  bar.update(
    record.step,
    `loss ${record.loss.toFixed(4)}  active triplets ${active}  ${clock.rate(record.images)} images/s${valRecall}`,
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
