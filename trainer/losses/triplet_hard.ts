import type { Loss } from "./loss.ts";
import { type MaskedExtreme, pullMaskedExtreme } from "./masked_extreme.ts";
import { type Judgement, matrixLoss } from "./matrix_loss.ts";
import { holdsTriplet, meanOffDiagonal } from "./pair_statistics.ts";
import { type DistanceMetric, pairwiseDistance } from "./pairwise_distance.ts";

/** Settings of {@linkcode tripletHard}. */
export interface TripletHardOptions {
  /** How much farther than the positive the negative must be, in units of the distance; default 1.0. */
  readonly margin?: number;
  /** Whether `log(1 + exp(d(a, p) - d(a, n)))` takes the place of the margin; default false. */
  readonly soft?: boolean;
  /** Default `L2`. */
  readonly distance?: DistanceMetric;
}

/**
 * Triplet loss with the hardest positive and the hardest negative of every anchor ("batch hard", Hermans et al. 2017, "In
 * Defense of the Triplet Loss for Person Re-Identification", equations 5 and, for the soft margin, section 2), with the
 * values and gradients of `tfa.losses.TripletHardLoss` 0.23: the mean over all rows. As there, the row's smallest distance
 * stands for a positive that is missing, its largest for a negative.
 *
 * `activeTripletShare` is that of the anchors with a positive and a negative whose loss is above 0, or with a soft margin
 * whose positive is not nearer than their negative.
 */
export function tripletHard({ margin = 1.0, soft = false, distance = "L2" }: TripletHardOptions = {}): Loss {
  return matrixLoss(
    (embeddings) => pairwiseDistance(embeddings, distance),
    (distances, labels) => mineHard(distances, labels, soft ? softplus : hinge(margin)),
  );
}

/** A loss of `d(a, p) - d(a, n)`. */
type Penalty = (excess: number) => { value: number; slope: number; active: boolean };

function hinge(margin: number): Penalty {
  return (excess) => {
    const violation = excess + margin;
    if (violation < 0) return { value: 0, slope: 0, active: false };
    return { value: violation, slope: 1, active: violation > 0 };
  };
}

const softplus: Penalty = (excess) => ({
  value: Math.max(excess, 0) + Math.log1p(Math.exp(-Math.abs(excess))),
  slope: 1 / (1 + Math.exp(-excess)),
  active: excess >= 0,
});

function mineHard(distances: Float32Array, labels: Int32Array, penalty: Penalty): Judgement {
  const n = labels.length;
  const gradient = new Float32Array(n * n);
  let loss = 0, active = 0, anchors = 0;
  for (let anchor = 0; anchor < n; anchor++) {
    const { positive, negative, complete } = hardest(distances, labels, anchor);
    const { value, slope, active: isActive } = penalty(positive.extreme - negative.extreme);
    loss += value / n;
    if (complete) anchors++;
    if (complete && isActive) active++;
    if (slope === 0) continue;
    pullMaskedExtreme(distances, gradient, positive, slope / n);
    pullMaskedExtreme(distances, gradient, negative, -slope / n);
  }
  return {
    loss,
    gradient,
    activeTripletShare: anchors === 0 ? 0 : active / anchors,
    meanPairwiseDistance: meanOffDiagonal(distances, n),
    hasTriplets: holdsTriplet(labels),
  };
}

interface Hardest {
  positive: MaskedExtreme;
  negative: MaskedExtreme;
  /** Whether the anchor has both. */
  complete: boolean;
}

function hardest(distances: Float32Array, labels: Int32Array, anchor: number): Hardest {
  const n = labels.length, start = anchor * n;
  const isPositive = (k: number) => k !== anchor && labels[k] === labels[anchor];
  const isNegative = (k: number) => labels[k] !== labels[anchor];
  let smallest = Infinity, largest = -Infinity, farthest = -Infinity, nearest = Infinity;
  for (let k = 0; k < n; k++) {
    const distance = distances[start + k];
    smallest = Math.min(smallest, distance);
    largest = Math.max(largest, distance);
    if (isPositive(k)) farthest = Math.max(farthest, distance);
    if (isNegative(k)) nearest = Math.min(nearest, distance);
  }
  const row = { start, length: n };
  return {
    positive: { ...row, mask: isPositive, extreme: farthest === -Infinity ? smallest : farthest, opposite: smallest },
    negative: { ...row, mask: isNegative, extreme: nearest === Infinity ? largest : nearest, opposite: largest },
    complete: farthest !== -Infinity && nearest !== Infinity,
  };
}
