import * as tf from "@tensorflow/tfjs";
import { cosineSimilarity } from "./cosine_similarity.ts";

/** The distances of TensorFlow Addons' triplet losses, by its names. */
export type DistanceMetric = "L2" | "squared-L2" | "angular";

/** Every distance that {@linkcode pairwiseDistance} knows. */
export const DISTANCE_METRICS: readonly DistanceMetric[] = ["L2", "squared-L2", "angular"];

/**
 * Distance of every row to every row: `|a - b|`, `|a - b|^2`, or `1 - cos(a, b)` (which TensorFlow Addons calls angular).
 *
 * Equals `tfa.losses.metric_learning` 0.23 with its guards: the derivative of L2 at distance 0 is 0 instead of infinite,
 * and a zero row lies at angular distance 1 from every row. Where TensorFlow Addons takes `|a|^2 + |b|^2 - 2ab`, this sums
 * squared differences, which keeps duplicates at exactly 0 and small distances accurate when an embedding collapses.
 *
 * @param embeddings `[n, dim] float32`; memory is `n^2 dim` floats for the Euclidean distances
 * @returns `[n, n] float32`, symmetric, at least 0
 */
export function pairwiseDistance(embeddings: tf.Tensor2D, metric: DistanceMetric): tf.Tensor2D {
  return metric === "angular" ? angular(embeddings) : euclidean(embeddings, metric === "squared-L2");
}

function angular(embeddings: tf.Tensor2D): tf.Tensor2D {
  return tf.maximum(tf.sub(1, cosineSimilarity(embeddings, embeddings)), 0);
}

function euclidean(embeddings: tf.Tensor2D, squared: boolean): tf.Tensor2D {
  const compute = tf.customGrad((x, save) => {
    const rows = x as tf.Tensor2D;
    const difference = tf.sub(tf.expandDims(rows, 1), tf.expandDims(rows, 0));
    const squares: tf.Tensor2D = tf.sum(tf.square(difference), 2);
    const value: tf.Tensor2D = squared ? squares : tf.sqrt(squares);
    (save as tf.GradSaveFunc)([difference, value]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [difference, distance] = saved;
      const pull = tf.add(dy, tf.transpose(dy));
      const weight = squared ? tf.mul(pull, 2) : divideOrZero(pull, distance);
      return tf.squeeze(tf.matMul(tf.expandDims(weight, 1), difference), [1]);
    };
    return { value, gradFunc };
  });
  return compute(embeddings) as tf.Tensor2D;
}

function divideOrZero(numerator: tf.Tensor, denominator: tf.Tensor): tf.Tensor {
  const positive = tf.greater(denominator, 0);
  return tf.where(positive, tf.div(numerator, tf.where(positive, denominator, 1)), 0);
}
