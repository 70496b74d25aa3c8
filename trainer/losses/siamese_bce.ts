import * as tf from "@tensorflow/tfjs";
import { randomStream } from "../random.ts";
import type { ClassOptions } from "./class_centres.ts";
import { logSumExp } from "./log_sum_exp.ts";
import type { LossStatistics, TrainableLoss } from "./loss.ts";
import { checkLabels, judged, type Judgement } from "./matrix_loss.ts";

/** Settings of {@linkcode siameseBce}. */
export type SiameseBceOptions = Pick<ClassOptions, "dimensions" | "seed">;

/**
 * The siamese network's binary cross-entropy: a dense unit with a sigmoid says of `|a - b|` whether the two images of a
 * pair show one identity (Koch et al. 2015, "Siamese Neural Networks for One-shot Image Recognition", section 3), the
 * mean over the pairs, with the values and gradients of Keras' `Dense(1, "sigmoid")` and `BinaryCrossentropy`, computed
 * from the logits.
 *
 * Rows are the first images of all pairs, then the second images: row `i` and row `batch / 2 + i` are a pair, genuine
 * if their labels agree. The variables are the unit's kernel, `[dim] float32`, of Glorot and Bengio's (2010) uniform
 * distribution, and its bias, `[1] float32`, 0. The derivative of `|a - b|` is 0 where the two are equal.
 *
 * `activeTripletShare` is that of the pairs on the wrong side, genuine with a probability below one half or impostor
 * with one of at least that; `meanPairwiseDistance` is the L2 distance of the two images of a pair.
 *
 * Its `loss` throws a `RangeError` if the number of rows is odd.
 */
export function siameseBce({ dimensions, seed }: SiameseBceOptions): TrainableLoss {
  const [kernel, bias] = tf.tidy(() => [
    tf.variable(tf.tensor1d(glorotUniform(dimensions, seed))),
    tf.variable(tf.zeros([1])),
  ]);
  return {
    variables: [kernel, bias],
    loss(labels, embeddings, observe) {
      checkLabels(labels, embeddings);
      const genuine = genuinePairs(labels);
      return tf.tidy(() => {
        const [first, second] = tf.split<tf.Tensor2D>(embeddings, 2);
        const differences = absolute(tf.sub(first, second));
        const logits: tf.Tensor2D = tf.add(tf.matMul(differences, tf.reshape(kernel, [-1, 1])), bias);
        const withDistance = (statistics: LossStatistics) =>
          observe?.({ ...statistics, meanPairwiseDistance: meanLength(differences) });
        return judged(logits, (values) => judgePairs(values, genuine), withDistance);
      });
    },
  };
}

/** The kernel of a dense layer with one output: uniform within `sqrt(6 / (inputs + 1))`. */
function glorotUniform(inputs: number, seed: number): Float32Array {
  const random = randomStream(seed, "siamese kernel");
  const limit = Math.sqrt(6 / (inputs + 1));
  return Float32Array.from({ length: inputs }, () => limit * (2 * random() - 1));
}

/** Whether the two images of each pair are of one identity. */
function genuinePairs(labels: Int32Array): boolean[] {
  const pairs = labels.length / 2;
  if (!Number.isInteger(pairs)) throw new RangeError(`${labels.length} rows are not the two images of pairs`);
  return Array.from({ length: pairs }, (_, i) => labels[i] === labels[pairs + i]);
}

/** `|x|` with the derivative 0 at 0, where that of `tf.abs` is -1. */
function absolute(x: tf.Tensor2D): tf.Tensor2D {
  const compute = tf.customGrad((x, save) => {
    (save as tf.GradSaveFunc)([x as tf.Tensor]);
    return { value: tf.abs(x as tf.Tensor), gradFunc: (dy: tf.Tensor, [x]: tf.Tensor[]) => tf.mul(dy, tf.sign(x)) };
  });
  return compute(x) as tf.Tensor2D;
}

function judgePairs(logits: Float32Array, genuine: boolean[]): Judgement {
  const n = genuine.length;
  const gradient = new Float32Array(n);
  let loss = 0, wrong = 0;
  genuine.forEach((same, i) => {
    const sign = same ? -1 : 1;
    const { value, weights } = logSumExp([sign * logits[i]], true);
    loss += value / n;
    gradient[i] = sign * weights[0] / n;
    if (same ? logits[i] < 0 : logits[i] >= 0) wrong++;
  });
  return {
    loss,
    gradient,
    activeTripletShare: n === 0 ? 0 : wrong / n,
    meanPairwiseDistance: 0,
    hasTriplets: n > 0,
  };
}

function meanLength(rows: tf.Tensor2D): number {
  return rows.shape[0] === 0 ? 0 : tf.mean(tf.sqrt(tf.sum(tf.square(rows), 1))).dataSync()[0];
}
