import type * as tf from "@tensorflow/tfjs";

/** What a loss saw in one batch: how a trainer notices that an embedding collapses or that nothing is left to learn. */
export interface LossStatistics {
  /** Share of the anchor-positive pairs whose loss is above 0; 0 without such a pair. */
  readonly activeTripletShare: number;
  /** Mean distance of all pairs of different rows, in the loss's own distance; 0 for a single row. */
  readonly meanPairwiseDistance: number;
  /** Whether the batch holds at least one anchor with a positive and a negative. */
  readonly hasTriplets: boolean;
}

/**
 * A loss of metric learning: a pure function of a batch's labels and embeddings, differentiable in the embeddings.
 *
 * @param labels identity of each row, `[batch]`
 * @param embeddings `[batch, dim] float32`
 * @param observe is told, before the function returns, what the loss computed on the way
 * @returns scalar float32; 0, and no gradient, if the batch holds nothing to learn from
 * @throws {RangeError} if labels and embeddings differ in length
 */
export type Loss = (
  labels: Int32Array,
  embeddings: tf.Tensor2D,
  observe?: (statistics: LossStatistics) => void,
) => tf.Scalar;
