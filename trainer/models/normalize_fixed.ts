import * as tf from "@tensorflow/tfjs";
import { BATCH_NORM_FIXED_GRAD, hasKernel, runKernel } from "../engines/kernel_names.ts";

/** What normalises each channel. */
export interface FixedStatistics {
  /** `[channels] float32`, all four. */
  gamma: tf.Tensor1D;
  beta: tf.Tensor1D;
  mean: tf.Tensor1D;
  variance: tf.Tensor1D;
  epsilon: number;
}

/**
 * Normalises each channel by given statistics, as BatchNorm does outside training, differentiable in `x`, `gamma` and
 * `beta`: `y = gamma (x - mean) / sqrt(variance + epsilon) + beta`.
 *
 * The gradient is derived by hand: tfjs's would repeat the statistics for every pixel, which takes longer than all
 * convolutions of a mobile network together. Engines that have a fused kernel use it.
 *
 * @param x `[.., channels] float32`, rank 2 to 4
 * @returns shaped like `x`
 */
export function normalizeFixed(x: tf.Tensor, { gamma, beta, mean, variance, epsilon }: FixedStatistics): tf.Tensor {
  return tf.customGrad((...args) => {
    const [x, gamma, beta, save] = args as [tf.Tensor, tf.Tensor1D, tf.Tensor1D, tf.GradSaveFunc];
    save([x, gamma]);
    return {
      value: tf.batchNorm(x, mean, variance, beta, gamma, epsilon),
      gradFunc: (dy: tf.Tensor, [x, gamma]: tf.Tensor[]) => {
        if (hasKernel(BATCH_NORM_FIXED_GRAD)) {
          return runKernel(BATCH_NORM_FIXED_GRAD, { dy, x, gamma, mean, variance }, { epsilon });
        }
        const rows = Array.from({ length: x.rank - 1 }, (_, axis) => axis);
        const r = tf.rsqrt(tf.add(variance, epsilon));
        const dbeta = tf.sum(dy, rows);
        const dgamma = tf.mul(tf.sub(tf.sum(tf.mul(dy, x), rows), tf.mul(mean, dbeta)), r);
        return [tf.mul(dy, tf.mul(gamma, r)), dgamma, dbeta];
      },
    };
  })(x, gamma, beta);
}
