import type * as tf from "@tensorflow/tfjs";

/** What a loss saw in one batch: how a trainer notices that an embedding collapses or that nothing is left to learn. */
export interface LossStatistics {
  /** Share of what the loss compares (triplets, pairs or rows, as the loss says) that does not satisfy it yet; 0 without any. */
  readonly activeTripletShare: number;
  /** Mean distance of all pairs of different rows, in the loss's own distance (1 - cosine for similarities); 0 for a single row. */
  readonly meanPairwiseDistance: number;
  /** Whether the batch holds what the loss learns from: of a triplet loss, an anchor with a positive and a negative. */
  readonly hasTriplets: boolean;
}

/**
 * A loss of metric learning: a pure function of a batch's labels and embeddings, differentiable in the embeddings.
 *
 * @param labels identity of each row, `[batch]`
 * @param embeddings `[batch, dim] float32`
 * @param observe is told, before the function returns, what the loss computed on the way
 * @returns scalar float32, without a gradient if the batch holds nothing to learn from
 * @throws {RangeError} if labels and embeddings differ in length
 */
export type Loss = (
  labels: Int32Array,
  embeddings: tf.Tensor2D,
  observe?: (statistics: LossStatistics) => void,
) => tf.Scalar;

/** A loss and the variables of its own that train along with the network, such as class centres; most losses have none. */
export interface TrainableLoss {
  readonly loss: Loss;
  /** In a fixed order. They belong to whoever made the loss: to optimise, to save and to dispose. */
  readonly variables: readonly tf.Variable[];
}
