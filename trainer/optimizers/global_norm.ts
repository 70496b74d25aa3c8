import * as tf from "@tensorflow/tfjs";
import { GLOBAL_NORM, hasKernel, runKernel } from "../engines/kernel_names.ts";

/**
 * The Euclidean norm of all tensors taken as one vector.
 *
 * @param tensors float32, at least one
 * @returns a new scalar, left on the engine
 */
export function globalNorm(tensors: tf.Tensor[]): tf.Scalar {
  if (hasKernel(GLOBAL_NORM)) return runKernel(GLOBAL_NORM, Object.fromEntries(tensors.entries()), {})[0] as tf.Scalar;
  return tf.tidy(() => tf.sqrt(tf.addN(tensors.map((tensor) => tf.sum(tf.square(tensor)))))) as tf.Scalar;
}

/**
 * Shortens a vector that is longer than a bound, and keeps its direction (Pascanu et al. 2013, algorithm 1).
 *
 * @param tensors the vector's parts
 * @param norm the length of all of them together, see {@link globalNorm}
 * @param clipNorm the greatest length
 * @returns new tensors; the same bits where the vector is short enough
 */
export function clipByGlobalNorm(tensors: tf.Tensor[], norm: tf.Scalar, clipNorm: number): tf.Tensor[] {
  return tf.tidy(() => {
    const factor = tf.minimum(1, tf.div(clipNorm, norm));
    return tensors.map((tensor) => tf.mul(tensor, factor));
  });
}
