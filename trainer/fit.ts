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
  const { model, optimizer, stepsPerEpoch, totalSteps, signal } = options;
  const [, height, width, channels] = model.inputs[0].shape as number[];
  let records: StepRecord[] = [];
  for (let step = options.startStep; step < totalSteps; step++) {
    if (signal.aborted) return step;
    const { images, labels } = options.batches(step);
    const x = tf.tensor4d(images, [labels.length, height, width, channels]);
    optimizer.setLearningRate(options.learningRate(step));

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

    const record = {
      ...statistics!,
      step: step + 1,
      loss: value,
      learningRate: optimizer.learningRate,
      images: labels.length,
    };
    records.push(record);
    options.onStep(record);
    if ((step + 1) % stepsPerEpoch === 0 || step + 1 === totalSteps) {
      await options.onEpoch(summarize(records, Math.ceil((step + 1) / stepsPerEpoch)));
      records = [];
    }
    await untilNextTask();
  }
  return totalSteps;
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
