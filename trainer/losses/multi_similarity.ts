import { cosineSimilarity } from "./cosine_similarity.ts";
import { logSumExp } from "./log_sum_exp.ts";
import type { Loss } from "./loss.ts";
import { type Judgement, matrixLoss } from "./matrix_loss.ts";
import { similarityStatistics } from "./similarity_statistics.ts";

/** Settings of {@linkcode multiSimilarity}. */
export interface MultiSimilarityOptions {
  /** How sharply the least similar positives stand out; default 2. */
  readonly alpha?: number;
  /** How sharply the most similar negatives stand out; default 50. */
  readonly beta?: number;
  /** The cosine that positives should be above and negatives below; default 0.5. */
  readonly base?: number;
}

/**
 * Multi-similarity loss (Wang et al. 2019, "Multi-Similarity Loss with General Pair Weighting for Deep Metric Learning",
 * equation 11) over all pairs of the batch, the mean over its rows, with the values and gradients of
 * pytorch-metric-learning 2.9 `MultiSimilarityLoss` without a miner.
 *
 * `activeTripletShare` is that of the anchors with a positive less similar than a negative.
 */
export function multiSimilarity({ alpha = 2, beta = 50, base = 0.5 }: MultiSimilarityOptions = {}): Loss {
  return matrixLoss(
    (embeddings) => cosineSimilarity(embeddings, embeddings),
    (similarities, labels) => weighPairs(similarities, labels, { alpha, beta, base }),
  );
}

function weighPairs(
  similarities: Float32Array,
  labels: Int32Array,
  { alpha, beta, base }: Required<MultiSimilarityOptions>,
): Judgement {
  const n = labels.length;
  const gradient = new Float32Array(n * n);
  let loss = 0;
  const weigh = (indices: number[], sharpness: number) => {
    const { value, weights } = logSumExp(indices.map((k) => sharpness * (similarities[k] - base)), true);
    loss += value / Math.abs(sharpness) / n;
    indices.forEach((k, w) => gradient[k] += Math.sign(sharpness) * weights[w] / n);
  };
  for (let i = 0; i < n; i++) {
    const positives: number[] = [], negatives: number[] = [];
    for (let j = 0; j < n; j++) {
      if (labels[i] !== labels[j]) negatives.push(i * n + j);
      else if (i !== j) positives.push(i * n + j);
    }
    weigh(positives, -alpha);
    weigh(negatives, beta);
  }
  return { loss, gradient, ...similarityStatistics(similarities, labels), hasTriplets: n > 1 };
}
