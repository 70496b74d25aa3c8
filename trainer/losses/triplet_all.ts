import type { Loss } from "./loss.ts";
import { type Judgement, matrixLoss } from "./matrix_loss.ts";
import { meanOffDiagonal } from "./pair_statistics.ts";
import { type DistanceMetric, pairwiseDistance } from "./pairwise_distance.ts";

/** Settings of {@linkcode tripletAll}. */
export interface TripletAllOptions {
  /** How much farther than the positive the negative must be, in units of the distance; default 0.05. */
  readonly margin?: number;
  /** Default `L2`. */
  readonly distance?: DistanceMetric;
}

/**
 * Triplet loss over every triplet of the batch, the mean of those above 0 ("batch all", Hermans et al. 2017, "In Defense of
 * the Triplet Loss for Person Re-Identification", equation 6, and its `L(BA != 0)`), with the values and gradients of
 * pytorch-metric-learning 2.9 `TripletMarginLoss` and its default `AvgNonZeroReducer`.
 *
 * `activeTripletShare` is that of the triplets whose loss is above 0. The work grows with the number of triplets.
 */
export function tripletAll({ margin = 0.05, distance = "L2" }: TripletAllOptions = {}): Loss {
  return matrixLoss(
    (embeddings) => pairwiseDistance(embeddings, distance),
    (distances, labels) => judgeAll(distances, labels, margin),
  );
}

function judgeAll(distances: Float32Array, labels: Int32Array, margin: number): Judgement {
  const n = labels.length;
  const gradient = new Float32Array(n * n);
  let loss = 0, active = 0, triplets = 0;
  for (let anchor = 0; anchor < n; anchor++) {
    const row = anchor * n;
    const { positives, negatives } = othersOf(anchor, labels);
    triplets += positives.length * negatives.length;
    for (const positive of positives) {
      for (const negative of negatives) {
        const violation = margin + distances[row + positive] - distances[row + negative];
        if (violation <= 0) continue;
        loss += violation;
        active++;
        gradient[row + positive]++;
        gradient[row + negative]--;
      }
    }
  }
  return {
    loss: active === 0 ? 0 : loss / active,
    gradient: active === 0 ? gradient : gradient.map((count) => count / active),
    activeTripletShare: triplets === 0 ? 0 : active / triplets,
    meanPairwiseDistance: meanOffDiagonal(distances, n),
    hasTriplets: triplets > 0,
  };
}

function othersOf(anchor: number, labels: Int32Array): { positives: number[]; negatives: number[] } {
  const positives: number[] = [], negatives: number[] = [];
  for (let k = 0; k < labels.length; k++) {
    if (labels[k] !== labels[anchor]) negatives.push(k);
    else if (k !== anchor) positives.push(k);
  }
  return { positives, negatives };
}
