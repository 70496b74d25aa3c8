import * as tf from "@tensorflow/tfjs";
import type { Loss, LossStatistics } from "./loss.ts";
import { type DistanceMetric, pairwiseDistance } from "./pairwise_distance.ts";
import { mineSemihard } from "./semihard_mining.ts";

/** Settings of {@linkcode tripletSemihard}. */
export interface TripletSemihardOptions {
  /** How much farther than the positive the negative must be, in units of the distance; default 1.0. */
  readonly margin?: number;
  /** Default `L2`. */
  readonly distance?: DistanceMetric;
}

/**
 * Triplet loss with online semi-hard negative mining (Schroff et al. 2015, FaceNet, equation 3 and section 3.2), with the
 * values and gradients of `tfa.losses.TripletSemiHardLoss` 0.23. Where that is NaN, in a batch with no two rows of one
 * identity, this is 0.
 *
 * Negatives are chosen on the host from the `batch^2` distances; no `batch^3` tensor is made. It needs a backend that can
 * be read synchronously.
 */
export function tripletSemihard({ margin = 1.0, distance = "L2" }: TripletSemihardOptions = {}): Loss {
  return (labels, embeddings, observe) => {
    if (labels.length !== embeddings.shape[0]) {
      throw new RangeError(`${labels.length} labels for ${embeddings.shape[0]} embeddings`);
    }
    return tf.tidy(() => minedLoss(pairwiseDistance(embeddings, distance), labels, margin, observe));
  };
}

function minedLoss(
  distances: tf.Tensor2D,
  labels: Int32Array,
  margin: number,
  observe?: (statistics: LossStatistics) => void,
): tf.Scalar {
  const compute = tf.customGrad((x) => {
    const mining = mineSemihard((x as tf.Tensor2D).dataSync<"float32">(), labels, margin);
    observe?.(mining);
    const gradFunc = (dy: tf.Tensor) => tf.mul(dy, tf.tensor2d(mining.gradient, distances.shape));
    return { value: tf.scalar(mining.loss), gradFunc };
  });
  return compute(distances) as tf.Scalar;
}
