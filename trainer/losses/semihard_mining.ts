import { pullMaskedExtreme } from "./masked_extreme.ts";
import type { Judgement } from "./matrix_loss.ts";
import { countPositivePairs, meanOffDiagonal } from "./pair_statistics.ts";

/**
 * Chooses the semi-hard negative of every anchor and positive: the nearest negative that is farther than the positive, or
 * the farthest negative where there is none (Schroff et al. 2015, FaceNet, section 3.2; TensorFlow Addons 0.23,
 * `triplet_semihard_loss`). Without any negative in the batch the row's smallest distance stands for it, as there.
 *
 * Negatives at the same distance share the derivative evenly. The derivative of a pair whose loss is exactly 0 counts.
 *
 * @param distances `[n * n]` row by row, the anchor's row first
 * @param labels identity of each row, `[n]`
 * @param margin in units of the distance
 * @returns the mean over all anchor-positive pairs of `max(0, margin + d(a, p) - d(a, n))`, 0 without such a pair; the
 * share of those pairs whose loss is above 0
 */
export function mineSemihard(distances: Float32Array, labels: Int32Array, margin: number): Judgement {
  const n = labels.length;
  const gradient = new Float32Array(n * n);
  const pairs = countPositivePairs(labels);
  let loss = 0, active = 0, hasTriplets = false;
  for (let anchor = 0; anchor < n; anchor++) {
    const row = new AnchorRow(distances, gradient, labels, anchor);
    for (let positive = 0; positive < n; positive++) {
      if (positive === anchor || labels[positive] !== labels[anchor]) continue;
      if (row.negatives > 0) hasTriplets = true;
      const distance = distances[anchor * n + positive];
      const negative = row.nearestNegativeBeyond(distance);
      const violation = margin + distance - (negative ?? row.farthestNegative);
      if (violation < 0) continue;
      loss += violation;
      if (violation > 0) active++;
      gradient[anchor * n + positive] += 1 / pairs;
      if (negative === undefined) row.pullFarthest(-1 / pairs);
      else row.pullNearestBeyond(distance, negative, -1 / pairs);
    }
  }
  return {
    loss: pairs === 0 ? 0 : loss / pairs,
    gradient,
    activeTripletShare: pairs === 0 ? 0 : active / pairs,
    meanPairwiseDistance: meanOffDiagonal(distances, n),
    hasTriplets,
  };
}

/** The distances of one anchor, and where the derivative by them adds up. */
class AnchorRow {
  readonly negatives: number;
  readonly farthestNegative: number;
  private readonly start: number;
  private readonly smallest: number;
  private readonly largest: number;

  constructor(
    private readonly distances: Float32Array,
    private readonly gradient: Float32Array,
    private readonly labels: Int32Array,
    private readonly anchor: number,
  ) {
    this.start = anchor * labels.length;
    let smallest = Infinity, largest = -Infinity, farthest = -Infinity, negatives = 0;
    for (let k = 0; k < labels.length; k++) {
      const distance = distances[this.start + k];
      smallest = Math.min(smallest, distance);
      largest = Math.max(largest, distance);
      if (!this.isNegative(k)) continue;
      negatives++;
      farthest = Math.max(farthest, distance);
    }
    this.smallest = smallest;
    this.largest = largest;
    this.negatives = negatives;
    this.farthestNegative = negatives > 0 ? farthest : smallest;
  }

  nearestNegativeBeyond(distance: number): number | undefined {
    let nearest = Infinity;
    for (let k = 0; k < this.labels.length; k++) {
      const d = this.distances[this.start + k];
      if (d > distance && d < nearest && this.isNegative(k)) nearest = d;
    }
    return nearest === Infinity ? undefined : nearest;
  }

  pullNearestBeyond(distance: number, nearest: number, amount: number): void {
    this.share((k) => this.isNegative(k) && this.distances[this.start + k] > distance, nearest, this.largest, amount);
  }

  pullFarthest(amount: number): void {
    this.share((k) => this.isNegative(k), this.farthestNegative, this.smallest, amount);
  }

  private share(mask: (k: number) => boolean, extreme: number, opposite: number, amount: number): void {
    const masked = { start: this.start, length: this.labels.length, mask, extreme, opposite };
    pullMaskedExtreme(this.distances, this.gradient, masked, amount);
  }

  private isNegative(k: number): boolean {
    return this.labels[k] !== this.labels[this.anchor];
  }
}
