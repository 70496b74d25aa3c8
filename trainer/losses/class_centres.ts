import * as tf from "@tensorflow/tfjs";
import { type Random, randomStream } from "../random.ts";
import { unitRows } from "./cosine_similarity.ts";
import type { LossStatistics, TrainableLoss } from "./loss.ts";
import { checkLabels, judged, type Judgement } from "./matrix_loss.ts";

/** The classes that a loss keeps a centre of. */
export interface ClassOptions {
  /** Number of identities trained on; labels are 0 to `classes - 1`. */
  readonly classes: number;
  /** Length of an embedding. */
  readonly dimensions: number;
  /** Of the centres' first values. */
  readonly seed: number;
}

/** What a loss makes of the cosines of rows and centres; the spread of the rows is not its concern. */
export type ClassJudgement = Omit<Judgement, "meanPairwiseDistance" | "hasTriplets">;

/**
 * A loss that compares embeddings with a trained centre of each class, by their cosines.
 *
 * The one variable is `[classes, dimensions] float32`, drawn from a normal distribution of standard deviation
 * `1 / sqrt(dimensions)`: only directions matter to the loss, and at a length of about 1 they turn as fast as a learning
 * rate that suits the network can turn them.
 *
 * @param judge computes loss and derivative from the cosines, `[batch * classes]` row by row, and the labels
 */
export function classLoss(
  { classes, dimensions, seed }: ClassOptions,
  judge: (cosines: Float32Array, labels: Int32Array, classes: number) => ClassJudgement,
): TrainableLoss {
  const centres = tf.tidy(() => tf.variable<tf.Rank.R2>(initialCentres({ classes, dimensions, seed })));
  return {
    variables: [centres],
    loss(labels, embeddings, observe) {
      checkLabels(labels, embeddings);
      checkClasses(labels, classes);
      return tf.tidy(() => {
        const rows = unitRows(embeddings);
        const cosines = tf.matMul(rows, unitRows(centres), false, true) as tf.Tensor2D;
        const withSpread = (statistics: LossStatistics) =>
          observe?.({ ...statistics, meanPairwiseDistance: meanAngularDistance(rows) });
        return judged(
          cosines,
          (values) => ({ ...judge(values, labels, classes), meanPairwiseDistance: 0, hasTriplets: true }),
          withSpread,
        );
      });
    },
  };
}

function initialCentres({ classes, dimensions, seed }: ClassOptions): tf.Tensor2D {
  const random = randomStream(seed, "class centres");
  const values = Float32Array.from({ length: classes * dimensions }, () => normal(random) / Math.sqrt(dimensions));
  return tf.tensor2d(values, [classes, dimensions]);
}

/** A number from the standard normal distribution (Box and Muller 1958). */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

function checkClasses(labels: Int32Array, classes: number): void {
  const stranger = labels.find((label) => label < 0 || label >= classes);
  if (stranger !== undefined) throw new RangeError(`label ${stranger} is none of the ${classes} classes of the loss`);
}

/** Mean of `1 - cosine` over all pairs of different rows: the sum of all cosines is the squared length of the rows' sum. */
function meanAngularDistance(unit: tf.Tensor2D): number {
  const n = unit.shape[0];
  if (n < 2) return 0;
  const [all, own] = tf.stack([tf.sum(tf.square(tf.sum(unit, 0))), tf.sum(tf.square(unit))]).dataSync();
  return 1 - (all - own) / (n * (n - 1));
}
