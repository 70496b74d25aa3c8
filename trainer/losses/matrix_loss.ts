import * as tf from "@tensorflow/tfjs";
import type { Loss, LossStatistics } from "./loss.ts";

/** The loss of a matrix of distances or similarities, and its derivative by each of them. */
export interface Judgement extends LossStatistics {
  readonly loss: number;
  /** As long as the matrix, row by row. */
  readonly gradient: Float32Array<ArrayBuffer>;
}

/**
 * A loss that looks at the distances or similarities of a batch's rows alone. It is computed on the host from that
 * matrix, in float64, with a derivative of its own: no `batch^3` tensor, no dependence on how an engine breaks ties.
 *
 * It needs a backend that can be read synchronously; `lossGradient()` finds one beside an engine that cannot.
 *
 * @param matrixOf distances or similarities of all rows, `[batch, dim]` to `[batch, batch]`, differentiable
 * @param judge computes loss and derivative from the matrix, row by row, and the labels
 */
export function matrixLoss(
  matrixOf: (embeddings: tf.Tensor2D) => tf.Tensor2D,
  judge: (matrix: Float32Array, labels: Int32Array) => Judgement,
): Loss {
  return (labels, embeddings, observe) => {
    checkLabels(labels, embeddings);
    return tf.tidy(() => judged(matrixOf(embeddings), (matrix) => judge(matrix, labels), observe));
  };
}

/**
 * A scalar computed on the host from a tensor, differentiable by it.
 *
 * @param judge computes value and derivative from the tensor's numbers
 */
export function judged(
  matrix: tf.Tensor2D,
  judge: (matrix: Float32Array) => Judgement,
  observe?: (statistics: LossStatistics) => void,
): tf.Scalar {
  const compute = tf.customGrad((x) => {
    const { loss, gradient, ...statistics } = judge((x as tf.Tensor2D).dataSync<"float32">());
    observe?.(statistics);
    return { value: tf.scalar(loss), gradFunc: (dy: tf.Tensor) => tf.mul(dy, tf.tensor2d(gradient, matrix.shape)) };
  });
  return compute(matrix) as tf.Scalar;
}

/** @throws {RangeError} if there is not one label for each row */
export function checkLabels(labels: Int32Array, embeddings: tf.Tensor2D): void {
  if (labels.length !== embeddings.shape[0]) {
    throw new RangeError(`${labels.length} labels for ${embeddings.shape[0]} embeddings`);
  }
}
