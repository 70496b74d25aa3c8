import * as tf from "@tensorflow/tfjs";

/**
 * Cosine of every row of `a` to every row of `b`. A row shorter than 1e-6 counts as a row of that length, so that zero
 * rows have cosine 0 and a finite derivative.
 *
 * @param a `[n, dim] float32`
 * @param b `[m, dim] float32`
 * @returns `[n, m] float32`
 */
export function cosineSimilarity(a: tf.Tensor2D, b: tf.Tensor2D): tf.Tensor2D {
  const unitA = unitRows(a);
  return tf.matMul(unitA, a === b ? unitA : unitRows(b), false, true);
}

/** Rows scaled to length 1, those shorter than 1e-6 by a factor of 1e6: `[n, dim] float32` to the same shape. */
export function unitRows(rows: tf.Tensor2D): tf.Tensor2D {
  const squaredNorm = tf.sum(tf.square(rows), 1, true);
  return tf.mul(rows, tf.rsqrt(tf.maximum(squaredNorm, 1e-12)));
}
