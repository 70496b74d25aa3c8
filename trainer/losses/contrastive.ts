import type { Loss } from "./loss.ts";
import { type Judgement, matrixLoss } from "./matrix_loss.ts";
import { meanOffDiagonal } from "./pair_statistics.ts";
import { type DistanceMetric, pairwiseDistance } from "./pairwise_distance.ts";

/** Settings of {@linkcode contrastive}. */
export interface ContrastiveOptions {
  /** How far apart different identities must be, in units of the distance; default 1.0. */
  readonly margin?: number;
  /** How far apart rows of one identity may be; default 0. */
  readonly positiveMargin?: number;
  /** Default `L2`. */
  readonly distance?: DistanceMetric;
}

/**
 * Contrastive loss over all pairs of the batch: the mean of `max(0, d - positiveMargin)` over the pairs of one identity plus
 * that of `max(0, margin - d)` over the pairs of two, each over the pairs above 0 (Hadsell et al. 2006, "Dimensionality
 * Reduction by Learning an Invariant Mapping", equation 4, which squares both terms; like pytorch-metric-learning 2.9
 * `ContrastiveLoss`, whose values and gradients it has, this does not).
 *
 * `activeTripletShare` is that of the pairs of two identities that are nearer than the margin.
 */
export function contrastive(
  { margin = 1.0, positiveMargin = 0, distance = "L2" }: ContrastiveOptions = {},
): Loss {
  return matrixLoss(
    (embeddings) => pairwiseDistance(embeddings, distance),
    (distances, labels) => judgePairs(distances, labels, margin, positiveMargin),
  );
}

function judgePairs(distances: Float32Array, labels: Int32Array, margin: number, positiveMargin: number): Judgement {
  const n = labels.length;
  const pull = { pairs: 0, active: 0, loss: 0 }, push = { pairs: 0, active: 0, loss: 0 };
  const slope = new Int8Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      if (i === j) continue;
      const same = labels[i] === labels[j];
      const distance = distances[i * n + j];
      const violation = same ? distance - positiveMargin : margin - distance;
      const side = same ? pull : push;
      side.pairs++;
      if (violation <= 0) continue;
      side.active++;
      side.loss += violation;
      slope[i * n + j] = same ? 1 : -1;
    }
  }
  const mean = (side: typeof pull) => side.active === 0 ? 0 : side.loss / side.active;
  return {
    loss: mean(pull) + mean(push),
    gradient: Float32Array.from(slope, (s) => s === 0 ? 0 : s / (s > 0 ? pull : push).active),
    activeTripletShare: push.pairs === 0 ? 0 : push.active / push.pairs,
    meanPairwiseDistance: meanOffDiagonal(distances, n),
    hasTriplets: n > 1,
  };
}
