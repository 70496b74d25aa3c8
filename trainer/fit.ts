import * as tf from "@tensorflow/tfjs";
import { ModelError } from "../shared/errors.ts";
import type { EpochRecord } from "./checkpoint.ts";
import type { Batch } from "./data/batches.ts";
import type { Loss, LossStatistics } from "./losses/mod.ts";
import type { Adam } from "./optimizers/adam.ts";

/** What one training step was like. */
export interface StepRecord extends LossStatistics {
  /** Steps done, this one included. */
  step: number;
  loss: number;
  learningRate: number;
  /** Images in the batch. */
  images: number;
}

/** A training run: everything as an argument, so that it can be stopped and taken up anywhere. */
export interface FitOptions {
  model: tf.LayersModel;
  loss: Loss;
  optimizer: Adam;
  /** The batch of a step. */
  batches: (step: number) => Batch;
  /** The learning rate of a step. */
  learningRate: (step: number) => number;
  /** Steps done before, and steps to have done at the end. */
  startStep: number;
  totalSteps: number;
  stepsPerEpoch: number;
  onStep: (record: StepRecord) => void;
  /** Whether the loss can learn from a batch of such labels; if not, it is skipped. */
  teaches: (labels: Int32Array) => boolean;
  onSkip: (step: number) => void;
  /** Called after the last step of every epoch, and of the run. */
  onEpoch: (record: EpochRecord) => Promise<void>;
  /** Ends the run after the step that is under way. */
  signal: AbortSignal;
}

/**
 * Trains a network: for every step a batch, its loss, the gradient, one step of the optimiser.
 *
 * @returns the number of steps done; less than `totalSteps` if it was stopped
 * @throws {ModelError} if the loss is not finite
 */
export async function fit(options: FitOptions): Promise<number> {
  const { stepsPerEpoch, totalSteps, signal } = options;
  let records: StepRecord[] = [];
  for (let step = options.startStep; step < totalSteps; step++) {
    if (signal.aborted) return step;
    const batch = options.batches(step);
    if (options.teaches(batch.labels)) {
      const record = await trainStep(step, batch, options);
      records.push(record);
      options.onStep(record);
    } else {
      options.onSkip(step);
    }
    const endsEpoch = (step + 1) % stepsPerEpoch === 0 || step + 1 === totalSteps;
    if (endsEpoch && records.length > 0) {
      await options.onEpoch(summarize(records, Math.ceil((step + 1) / stepsPerEpoch)));
      records = [];
    }
    await untilNextTask();
  }
  return totalSteps;
}

async function trainStep(step: number, { values, shape, labels }: Batch, options: FitOptions): Promise<StepRecord> {
  const { model, optimizer } = options;
  const x = tf.tensor4d(values, shape);
  const learningRate = options.learningRate(step);
  optimizer.setLearningRate(learningRate);
  let statistics: LossStatistics | undefined;
  const loss = optimizer.minimize(() => {
    const embeddings = model.apply(x, { training: true }) as tf.Tensor2D;
    return options.loss(labels, embeddings, (seen) => statistics = seen);
  });
  const [value] = await loss.data();
  tf.dispose([x, loss]);
  if (!Number.isFinite(value)) {
    throw new ModelError(
      `The loss is ${value} at step ${step + 1}; lower learningRate and train again. The last checkpoint is kept.`,
    );
  }
  return { ...statistics!, step: step + 1, loss: value, learningRate, images: labels.length };
}

/** Whether a batch holds an anchor with a positive and a negative. */
export function hasTriplet(labels: Int32Array): boolean {
  const identities = new Set(labels).size;
  return identities > 1 && identities < labels.length;
}

function summarize(records: StepRecord[], epoch: number): EpochRecord {
  const mean = (of: (record: StepRecord) => number) => records.reduce((sum, r) => sum + of(r), 0) / records.length;
  const { step, learningRate } = records[records.length - 1];
  return {
    epoch,
    step,
    loss: mean((r) => r.loss),
    activeTripletShare: mean((r) => r.activeTripletShare),
    meanPairwiseDistance: mean((r) => r.meanPairwiseDistance),
    learningRate,
  };
}

/** Lets timers and signals be served: the steps themselves never leave the queue of microtasks. */
function untilNextTask(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
