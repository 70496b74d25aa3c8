import type { Loss } from "./loss.ts";
import { matrixLoss } from "./matrix_loss.ts";
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
  return matrixLoss(
    (embeddings) => pairwiseDistance(embeddings, distance),
    (distances, labels) => mineSemihard(distances, labels, margin),
  );
}
