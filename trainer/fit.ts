import * as tf from "@tensorflow/tfjs";
import { ModelError } from "../shared/errors.ts";
import type { Batch, Batches } from "./data/batches.ts";
import { batchGradient, type BatchGradientOptions } from "./batch_gradient.ts";
import type { LossStatistics } from "./losses/mod.ts";
import type { Optimizer } from "./optimizers/mod.ts";

/** What one training step was like. */
export interface StepRecord extends LossStatistics {
  /** Steps done, this one included. */
  step: number;
  loss: number;
  learningRate: number;
  /** Euclidean length of the gradient by all that trains, before it is clipped. */
  gradientNorm: number;
  /** Mean Euclidean length of the embeddings before they are scaled to unit length. */
  embeddingNorm: number;
  /** Images in the batch. */
  images: number;
}

/** What the steps of an epoch were like on average. */
export interface EpochSummary {
  epoch: number;
  step: number;
  loss: number;
  activeTripletShare: number;
  meanPairwiseDistance: number;
  gradientNorm: number;
  embeddingNorm: number;
  learningRate: number;
}

/** A part of a training run: everything as an argument, so that it can be stopped and taken up anywhere. */
export interface FitOptions extends BatchGradientOptions {
  /** The frozen part of the network, where it runs at every step. */
  below: ((x: tf.Tensor) => tf.Tensor) | undefined;
  optimizer: Optimizer;
  batches: Batches;
  /** The learning rate of a step. */
  learningRate: (step: number) => number;
  /** Steps done before, and steps to have done at the end. */
  startStep: number;
  endStep: number;
  stepsPerEpoch: number;
  onStep: (record: StepRecord) => void;
  /** Whether the loss can learn from a batch of such labels; if not, it is skipped. */
  teaches: (labels: Int32Array) => boolean;
  onSkip: (step: number) => void;
  /**
   * Called after the last step of every epoch, and of the run.
   *
   * @returns whether the run goes on
   */
  onEpoch: (summary: EpochSummary) => Promise<boolean>;
  /** Ends the run after the step that is under way. */
  signal: AbortSignal;
}

/** Training leads nowhere as it is: the numbers are not finite any more, or the embedding has collapsed. */
export class DivergedError extends ModelError {
  /** @param fault what happened and at which step, without a full stop */
  constructor(readonly fault: string, advice: string) {
    super(`${fault}: ${advice}`);
  }
}

/**
 * Trains: for every step a batch, its loss, the gradient, one step of the optimiser.
 *
 * @returns the number of steps done; less than `endStep` if it was stopped
 * @throws {DivergedError} if the loss, its gradient or the embeddings are not finite
 */
export async function fit(options: FitOptions): Promise<number> {
  const { stepsPerEpoch, endStep, signal, batches } = options;
  let records: StepRecord[] = [];
  for (let step = options.startStep; step < endStep; step++) {
    if (signal.aborted) return step;
    const epochEnd = Math.min(endStep, stepsPerEpoch * (Math.floor(step / stepsPerEpoch) + 1));
    const batch = await batches.at(step, epochEnd);
    if (options.teaches(batch.labels)) {
      const record = await trainStep(step, batch, options);
      records.push(record);
      options.onStep(record);
    } else {
      options.onSkip(step);
    }
    if (step + 1 === epochEnd && records.length > 0) {
      if (!await options.onEpoch(summarize(records, Math.ceil(epochEnd / stepsPerEpoch)))) return step + 1;
      records = [];
    }
    await untilNextTask();
  }
  return endStep;
}

async function trainStep(step: number, { values, shape, labels }: Batch, options: FitOptions): Promise<StepRecord> {
  const { optimizer } = options;
  const x = tf.tidy(() => {
    const batch = tf.tensor(values, shape);
    return options.below?.(batch) ?? batch;
  });
  const learningRate = options.learningRate(step);
  optimizer.setLearningRate(learningRate);
  const { gradients, statistics, ...scalars } = await batchGradient(x, labels, optimizer.variables, options);
  const gradientNorm = optimizer.descend(gradients);
  const facts = tf.stack([scalars.value, gradientNorm, scalars.embeddingNorm]);
  const [value, gradient, embeddingNorm] = await facts.data();
  tf.dispose([x, scalars.value, scalars.embeddingNorm, gradientNorm, facts]);
  // A loss can be finite where embeddings are not: comparisons with NaN are false, and its hinge is then 0.
  const numbers = { "loss": value, "gradient's length": gradient, "embeddings' length": embeddingNorm };
  const lost = Object.entries(numbers).find(([, number]) => !Number.isFinite(number));
  if (lost) {
    throw new DivergedError(
      `The ${lost[0]} is ${lost[1]} at step ${step + 1}`,
      "lower learningRate, or set clipNorm=1 or rescue=true, and train again with another --out.",
    );
  }
  return {
    ...statistics,
    step: step + 1,
    loss: value,
    gradientNorm: gradient,
    embeddingNorm,
    learningRate,
    images: labels.length,
  };
}

/** Whether a batch holds an anchor with a positive and a negative. */
export function hasTriplet(labels: Int32Array): boolean {
  const identities = new Set(labels).size;
  return identities > 1 && identities < labels.length;
}

function summarize(records: StepRecord[], epoch: number): EpochSummary {
  const mean = (of: (record: StepRecord) => number) => records.reduce((sum, r) => sum + of(r), 0) / records.length;
  const { step, learningRate } = records[records.length - 1];
  return {
    epoch,
    step,
    loss: mean((r) => r.loss),
    activeTripletShare: mean((r) => r.activeTripletShare),
    meanPairwiseDistance: mean((r) => r.meanPairwiseDistance),
    gradientNorm: mean((r) => r.gradientNorm),
    embeddingNorm: mean((r) => r.embeddingNorm),
    learningRate,
  };
}

/** Lets timers and signals be served: the steps themselves never leave the queue of microtasks. */
function untilNextTask(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
