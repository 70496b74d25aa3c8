import { cosineSimilarity } from "./cosine_similarity.ts";
import { logSumExp } from "./log_sum_exp.ts";
import type { Loss } from "./loss.ts";
import { type Judgement, matrixLoss } from "./matrix_loss.ts";
import { similarityStatistics } from "./similarity_statistics.ts";

/** Settings of {@linkcode supcon}. */
export interface SupconOptions {
  /** What cosines are divided by before the softmax; default 0.1. */
  readonly temperature?: number;
}

/**
 * Supervised contrastive loss (Khosla et al. 2020, "Supervised Contrastive Learning", equation 2, `L_out`), with the values
 * and gradients of pytorch-metric-learning 2.9 `SupConLoss`: the mean over the anchors whose loss is above 0, which leaves
 * out those without a positive; 0 for a batch of one identity or without a positive pair.
 *
 * `activeTripletShare` is that of the anchors with a positive less similar than a negative.
 */
export function supcon({ temperature = 0.1 }: SupconOptions = {}): Loss {
  return matrixLoss(
    (embeddings) => cosineSimilarity(embeddings, embeddings),
    (similarities, labels) => contrast(similarities, labels, temperature),
  );
}

function contrast(similarities: Float32Array, labels: Int32Array, temperature: number): Judgement {
  const n = labels.length;
  const statistics = similarityStatistics(similarities, labels);
  if (!statistics.hasTriplets) return { loss: 0, gradient: new Float32Array(n * n), ...statistics };
  const slopes = new Float64Array(n * n);
  let loss = 0, anchors = 0;
  const others = n - 1;
  for (let i = 0; i < n; i++) {
    const logits = Float64Array.from({ length: others }, (_, k) => similarities[i * n + besides(i, k)] / temperature);
    const isPositive = (k: number) => labels[besides(i, k)] === labels[i];
    const { value, weights } = logSumExp(logits);
    let positives = 0, logit = 0;
    for (let k = 0; k < others; k++) {
      if (!isPositive(k)) continue;
      positives++;
      logit += logits[k];
    }
    const own = value - logit / positives;
    if (positives === 0 || own <= 0) continue;
    loss += own;
    anchors++;
    for (let k = 0; k < others; k++) {
      slopes[i * n + besides(i, k)] = (weights[k] - (isPositive(k) ? 1 / positives : 0)) / temperature;
    }
  }
  return {
    loss: anchors === 0 ? 0 : loss / anchors,
    gradient: Float32Array.from(slopes, (slope) => anchors === 0 ? 0 : slope / anchors),
    ...statistics,
  };
}

/** The `k`th of the rows other than `i`. */
function besides(i: number, k: number): number {
  return k < i ? k : k + 1;
}
