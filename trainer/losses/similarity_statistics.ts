import type { LossStatistics } from "./loss.ts";
import { holdsTriplet, meanOffDiagonal } from "./pair_statistics.ts";

/**
 * The statistics of a loss that weighs all pairs smoothly, so that no triplet is ever without a share in it. An anchor
 * counts as active while its least similar positive is not more similar than its most similar negative.
 *
 * @param similarities cosines, `[n * n]` row by row
 * @param labels identity of each row, `[n]`
 */
export function similarityStatistics(similarities: Float32Array, labels: Int32Array): LossStatistics {
  const n = labels.length;
  let anchors = 0, active = 0;
  for (let i = 0; i < n; i++) {
    let positive = Infinity, negative = -Infinity;
    for (let j = 0; j < n; j++) {
      const similarity = similarities[i * n + j];
      if (labels[i] !== labels[j]) negative = Math.max(negative, similarity);
      else if (i !== j) positive = Math.min(positive, similarity);
    }
    if (positive === Infinity || negative === -Infinity) continue;
    anchors++;
    if (positive <= negative) active++;
  }
  return {
    activeTripletShare: anchors === 0 ? 0 : active / anchors,
    meanPairwiseDistance: n < 2 ? 0 : 1 - meanOffDiagonal(similarities, n),
    hasTriplets: holdsTriplet(labels),
  };
}
