import type * as tf from "@tensorflow/tfjs";
import type { Activations } from "../shared/card.ts";
import {
  captureState,
  type Checkpoint,
  type EpochRecord,
  readCheckpoint,
  restoreNetwork,
  restoreState,
  restoreWeights,
  type Trainee,
  valuesOf,
  writeCheckpoint,
} from "./checkpoint.ts";
import { type CollapseWatch, watchCollapse } from "./collapse.ts";
import type { Config } from "./config.ts";
import { labelsOf } from "./data/batches.ts";
import type { Photo, Probe } from "./data/photos.ts";
import type { Sampler } from "./data/sampler.ts";
import { embedAll, type Network } from "./embed.ts";
import { DivergedError, type EpochSummary, fit, hasTriplet, type StepRecord } from "./fit.ts";
import { type Journal, openJournal } from "./journal.ts";
import { BATCH_LAYOUTS, LOSSES, type TrainableLoss } from "./losses/mod.ts";
import { leaveOneOut } from "./metrics/mod.ts";
import { layerRates } from "./models/layer_rates.ts";
import { inputOf } from "./models/pixel_scales.ts";
import { createOptimizer, trainableVariables, variablesOf, WeightAverage } from "./optimizers/mod.ts";
import type { Reporter } from "./report/progress.ts";
import { alikeIdentities, imagesPerBatch, samplerOf } from "./sampling.ts";
import { learningRateAt } from "./schedule.ts";
import { openStage, type Stage, stagesOf } from "./stages.ts";

/** What training needs besides the network. */
export interface Training {
  config: Config;
  /** Those of the gallery last. */
  photos: readonly Photo[];
  /** How many photos are of the gallery. */
  enrolled: number;
  /** Identities to watch by; may be none. */
  val: Probe[];
  /** Where to go on from. */
  before: Checkpoint | undefined;
  out: string;
  /** Recorded in the checkpoint. */
  data: string;
  dataHash: string;
  galleryHash: string;
  engine: string;
  reporter: Reporter;
  signal: AbortSignal;
}

/** How often a run is rescued before it is given up. */
const RESCUES = 3;
/** What a rescue leaves of the learning rate. */
const RESCUE_FACTOR = 0.1;

/**
 * Trains a network to the end of its schedule, or until it is told to stop, with a checkpoint after every epoch and at the
 * end. Afterwards the network has the weights to be judged by: the best, the averaged or the last, as configured.
 *
 * @returns the checkpoint at the end
 * @throws {DivergedError} if the loss is not finite, and rescuing the run did not help
 */
export async function trainNetwork(model: tf.LayersModel, training: Training): Promise<Checkpoint> {
  const run = new Run(model, training);
  try {
    let from = training.before;
    for (let rescues = 0;; rescues++) {
      try {
        const checkpoint = await run.from(from);
        restoreWeights(model, checkpoint);
        return checkpoint;
      } catch (error) {
        if (!(error instanceof DivergedError && training.config.rescue)) throw error;
        if (rescues === RESCUES) {
          throw new DivergedError(
            error.fault,
            `${RESCUES} rescues did not help; set a lower learningRate or clipNorm=1, and train again with another --out.`,
          );
        }
        from = await run.rescued();
        training.reporter.warn(`${error.fault}; going back to step ${from.step} with a tenth of the learning rate.`);
      }
    }
  } finally {
    run.dispose();
  }
}

/** A run: what lives as long as it, and what changes while it goes on. */
class Run {
  readonly #loss: TrainableLoss;
  readonly #average: WeightAverage | undefined;
  readonly #labels: Int32Array;
  readonly #stepsPerEpoch: number;
  readonly #stages: Stage[];
  readonly #totalSteps: number;
  #journal!: Journal;
  #watch!: CollapseWatch;
  #sampler!: Sampler;
  #history: EpochRecord[] = [];
  #alike: number[][] | undefined;
  #rateFactor = 1;
  #best: Float32Array[] = [];
  #activations: Activations | undefined;
  /** Of a run to be rescued: itself before the first step, and the step that it went back to last. */
  #first: Checkpoint | undefined;
  #rescuedTo: number | undefined;

  constructor(private readonly model: tf.LayersModel, private readonly training: Training) {
    const { config, photos } = training;
    this.#labels = labelsOf(photos);
    this.#loss = createLoss(config, new Set(this.#labels).size);
    if (config.averageDecay !== undefined) {
      this.#average = new WeightAverage(variablesOf(model), config.averageDecay);
    }
    this.#stepsPerEpoch = Math.max(1, Math.round(photos.length / imagesPerBatch(config)));
    const steps = Math.min(config.epochs * this.#stepsPerEpoch, config.maxSteps ?? Infinity);
    this.#stages = stagesOf(model, config, steps);
    this.#totalSteps = this.#stages.at(-1)!.end;
  }

  /** Runs to the end, from the start or from a checkpoint. */
  async from(before: Checkpoint | undefined): Promise<Checkpoint> {
    const { config, out, reporter, signal } = this.training;
    this.#history = [...before?.history ?? []];
    this.#rateFactor = before?.rateFactor ?? 1;
    this.#best = before?.tensors.best ?? [];
    this.#activations = before?.activations;
    this.#watch = watchCollapse(config.loss.startsWith("triplet") ? config.margin ?? 1 : undefined);
    this.#useSampler(before?.alike);
    const startStep = before?.step ?? 0;
    const seconds = before?.seconds ?? 0;
    this.#journal = await openJournal({ out, reporter, totalSteps: this.#totalSteps, startStep, seconds });
    if (before) reporter.info(`Going on after step ${startStep} of ${this.#totalSteps}.`);
    let step = startStep, checkpoint = before;
    try {
      for (const stage of this.#stages) {
        if (step >= stage.end || signal.aborted || this.#isOver()) continue;
        checkpoint = await this.#runStage(stage, step, step === startStep ? before : undefined);
        step = checkpoint.step;
      }
    } finally {
      await this.#journal.close();
    }
    if (signal.aborted && step < this.#totalSteps) {
      reporter.info(`Stopped after step ${step} of ${this.#totalSteps}; --resume goes on from there.`);
    }
    return checkpoint!;
  }

  /** The last good checkpoint, to go on from more slowly; a run that is stopped now goes on from it, too. */
  async rescued(): Promise<Checkpoint> {
    const { out } = this.training;
    const last = await readCheckpoint(out);
    // A checkpoint after which the run failed twice was not good itself.
    const good = last.step === this.#rescuedTo ? this.#first ?? last : last;
    const from = { ...good, rateFactor: this.#rateFactor * RESCUE_FACTOR };
    await writeCheckpoint(out, from);
    this.#rescuedTo = from.step;
    return from;
  }

  dispose(): void {
    this.#average?.dispose();
    this.#loss.variables.forEach((variable) => variable.dispose());
  }

  async #runStage(stage: Stage, startStep: number, before: Checkpoint | undefined): Promise<Checkpoint> {
    const { config, photos, reporter, signal } = this.training;
    const input = inputOf(config);
    const sampler: Sampler = (step) => this.#sampler(step);
    if (before) restoreNetwork(this.model, before);
    const activations = this.#activations;
    const opened = await openStage(stage, this.model, photos, { config, input, sampler, reporter, activations });
    this.#activations = opened.activations;
    const network = stage.int8 ? { predict: (x: tf.Tensor) => opened.forward(x).embeddings } : this.model;
    const trainee = this.#newTrainee();
    if (before) restoreState(trainee, before, startStep > stage.start);
    else if (startStep === 0 && config.rescue) this.#first = await this.#save(trainee, 0);
    this.#journal.begin();
    try {
      const step = await fit({
        ...opened,
        unitLength: config.unitLength,
        loss: this.#loss.loss,
        lossVariables: this.#loss.variables,
        chunkSize: config.chunkSize,
        optimizer: trainee.optimizer,
        learningRate: (step) => this.#rateFactor * rateIn(stage, step, config),
        startStep,
        endStep: stage.end,
        stepsPerEpoch: this.#stepsPerEpoch,
        teaches: needsTriplets(config, this.#loss) ? hasTriplet : () => true,
        onStep: (record) => this.#endStep(record, opened.batches.waitedMs()),
        onSkip: () => this.#journal.skip(),
        onEpoch: (summary) => this.#endEpoch(summary, trainee, network, stage),
        signal,
      });
      return await this.#save(trainee, step);
    } finally {
      this.#journal.end();
      opened.close();
      trainee.optimizer.dispose();
    }
  }

  #newTrainee(): Trainee {
    const { config } = this.training;
    const lossVariables = this.#loss.variables;
    const rates = [...layerRates(this.model, config.layerDecay), ...lossVariables.map(() => 1)];
    const optimizer = createOptimizer([...trainableVariables(this.model), ...lossVariables], { ...config, rates });
    return { model: this.model, lossVariables, optimizer, average: this.#average };
  }

  #endStep(record: StepRecord, waitedMs: number): void {
    this.#average?.update();
    this.#journal.step(record, waitedMs);
    const trouble = this.#watch.see(record);
    if (trouble === undefined) return;
    if (this.training.config.rescue) {
      throw new DivergedError(`The embedding has collapsed by step ${record.step}`, trouble);
    }
    this.training.reporter.warn(trouble);
  }

  /** @returns whether the run goes on */
  async #endEpoch(summary: EpochSummary, trainee: Trainee, network: Network, stage: Stage): Promise<boolean> {
    const { config, photos, val } = this.training;
    const input = inputOf(config);
    this.#average?.swap();
    const valRecallAt1 = await validate(network, val, input);
    if (valRecallAt1 !== undefined && valRecallAt1 > bestRecall(this.#history) && config.patience !== undefined) {
      this.#best = await valuesOf(variablesOf(this.model));
    }
    this.#average?.swap();
    const record = { ...summary, ...(valRecallAt1 !== undefined && { valRecallAt1 }) };
    this.#history.push(record);
    await this.#journal.epoch(record);
    if (config.sampler === "hard-classes") this.#useSampler(await alikeIdentities(this.model, photos, input, config));
    const good = this.#watch.healthy() || !config.rescue;
    if (good && summary.step < stage.end) await this.#save(trainee, summary.step);
    return !this.#isOver();
  }

  #useSampler(alike: number[][] | undefined): void {
    this.#alike = alike;
    this.#sampler = samplerOf(this.#labels, this.training.enrolled, this.training.config, alike);
  }

  /** Whether validation has not got better for as long as the configuration allows. */
  #isOver(): boolean {
    const { patience } = this.training.config;
    const recalls = this.#history.map((record) => record.valRecallAt1 ?? 0);
    return patience !== undefined && recalls.length - 1 - recalls.indexOf(Math.max(...recalls)) >= patience;
  }

  async #save(trainee: Trainee, step: number): Promise<Checkpoint> {
    const { config, data, dataHash, galleryHash, engine, out } = this.training;
    const { tensors, ...state } = await captureState(trainee);
    const checkpoint: Checkpoint = {
      ...{
        config,
        data,
        dataHash,
        galleryHash,
        engine,
        step,
        seconds: this.#journal.seconds(),
        history: this.#history,
      },
      ...{ alike: this.#alike, rateFactor: this.#rateFactor, activations: this.#activations, ...state },
      tensors: { ...tensors, best: this.#best },
    };
    await writeCheckpoint(out, checkpoint);
    return checkpoint;
  }
}

function createLoss({ loss, softMargin, ...config }: Config, classes: number): TrainableLoss {
  const { dimensions, seed, margin, distance, positiveMargin, temperature, alpha, beta, base, scale } = config;
  const own = { margin, distance, soft: softMargin, positiveMargin, temperature, alpha, beta, base, scale };
  const given = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
  return LOSSES[loss]({ classes, dimensions, seed, ...given });
}

/** A loss with class centres compares rows with these, not with each other; one of pairs or triplets gets what it needs. */
function needsTriplets({ loss }: Config, { variables }: TrainableLoss): boolean {
  return variables.length === 0 && BATCH_LAYOUTS[loss] === undefined;
}

function rateIn({ start, end, rate }: Stage, step: number, config: Config): number {
  return rate * learningRateAt(step - start, { ...config, totalSteps: end - start });
}

function bestRecall(history: EpochRecord[]): number {
  return Math.max(-1, ...history.map(({ valRecallAt1 }) => valRecallAt1 ?? -1));
}

/** Recall@1 on identities that are not trained on, if there are some with two photos. */
async function validate(
  network: Network,
  val: Probe[],
  input: ReturnType<typeof inputOf>,
): Promise<number | undefined> {
  const labels = labelsOf(val);
  if (new Set(labels).size === labels.length) return undefined;
  const embeddings = await embedAll(network, val, input);
  return leaveOneOut({ embeddings, labels }, [1]).recallAt[1];
}
