import * as tf from "@tensorflow/tfjs";
import { unitRows } from "./cosine_similarity.ts";
import type { Loss } from "./loss.ts";
import { checkLabels, judged, type Judgement } from "./matrix_loss.ts";
import type { DistanceMetric } from "./pairwise_distance.ts";

/** Settings of {@linkcode tripletExplicit}. */
export interface TripletExplicitOptions {
  /** How much farther than the positive the negative must be, in units of the distance; default 1.0. */
  readonly margin?: number;
  /** Default `L2`. */
  readonly distance?: DistanceMetric;
}

/**
 * Triplet loss of given triplets, `max(0, margin + d(a, p) - d(a, n))`, the mean over all of them (Schroff et al. 2015,
 * FaceNet, equation 3), with the values and gradients of PyTorch's `triplet_margin_with_distance_loss`. The derivative
 * of a triplet whose loss is exactly 0 counts.
 *
 * Rows are the anchors of all triplets, then their positives, then their negatives: three towers with shared weights
 * are one network, which sees all three in one batch.
 *
 * `activeTripletShare` is that of the triplets whose loss is above 0; `meanPairwiseDistance` is that of the anchors to
 * the positives and negatives. The loss throws a `RangeError` if the labels are not those of triplets in this order.
 */
export function tripletExplicit({ margin = 1.0, distance = "L2" }: TripletExplicitOptions = {}): Loss {
  return (labels, embeddings, observe) => {
    checkLabels(labels, embeddings);
    checkTriplets(labels);
    return tf.tidy(() => {
      const [anchors, positives, negatives] = tf.split<tf.Tensor2D>(embeddings, 3);
      const toPositives = rowDistance(anchors, positives, distance);
      const toNegatives = rowDistance(anchors, negatives, distance);
      return judged(tf.stack([toPositives, toNegatives]) as tf.Tensor2D, (d) => judgeTriplets(d, margin), observe);
    });
  };
}

/** @param distances those to the positives, then those to the negatives */
function judgeTriplets(distances: Float32Array, margin: number): Judgement {
  const n = distances.length / 2;
  const gradient = new Float32Array(2 * n);
  let loss = 0, active = 0;
  for (let i = 0; i < n; i++) {
    const violation = margin + distances[i] - distances[n + i];
    if (violation < 0) continue;
    loss += violation / n;
    if (violation > 0) active++;
    gradient[i] = 1 / n;
    gradient[n + i] = -1 / n;
  }
  return {
    loss,
    gradient,
    activeTripletShare: n === 0 ? 0 : active / n,
    meanPairwiseDistance: n === 0 ? 0 : distances.reduce((sum, d) => sum + d, 0) / (2 * n),
    hasTriplets: n > 0,
  };
}

/** Distance of each row of `a` to the same row of `b`, `[n]`; the derivative of L2 at distance 0 is 0. */
function rowDistance(a: tf.Tensor2D, b: tf.Tensor2D, metric: DistanceMetric): tf.Tensor1D {
  if (metric === "angular") return tf.maximum(tf.sub(1, tf.sum(tf.mul(unitRows(a), unitRows(b)), 1)), 0);
  const squared: tf.Tensor1D = tf.sum(tf.square(tf.sub(a, b)), 1);
  return metric === "L2" ? rootOf(squared) : squared;
}

function rootOf(squares: tf.Tensor1D): tf.Tensor1D {
  const compute = tf.customGrad((x, save) => {
    const value = tf.sqrt(x as tf.Tensor1D);
    (save as tf.GradSaveFunc)([value]);
    return { value, gradFunc: (dy: tf.Tensor, [root]: tf.Tensor[]) => tf.divNoNan(dy, tf.mul(root, 2)) };
  });
  return compute(squares) as tf.Tensor1D;
}

function checkTriplets(labels: Int32Array): void {
  const n = labels.length / 3;
  const isTriplet = (anchor: number, i: number) => anchor === labels[n + i] && anchor !== labels[2 * n + i];
  if (!Number.isInteger(n) || !labels.subarray(0, n).every(isTriplet)) {
    throw new RangeError(`${labels.length} rows are not the anchors, positives and negatives of triplets`);
  }
}
