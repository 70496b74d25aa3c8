import * as tf from "@tensorflow/tfjs";
import { BATCH_NORM_TRAINING, BATCH_NORM_TRAINING_GRAD, hasKernel, runKernel } from "../engines/kernel_names.ts";
import { normalizeFixed } from "./normalize_fixed.ts";

type StockLayer = tf.layers.Layer;
type LayerArgs = NonNullable<Parameters<typeof tf.layers.batchNormalization>[0]>;

/** What tf's class holds beyond its public type. */
interface StockFields {
  axis: number;
  momentum: number;
  epsilon: number;
  gamma: Weight | null;
  beta: Weight | null;
  movingMean: Weight;
  movingVariance: Weight;
}

/** A layer's weight (tf's `LayerVariable`). */
interface Weight {
  read(): tf.Tensor1D;
  write(value: tf.Tensor1D): Weight;
}

// tfjs does not export the class itself, only a function that makes one.
const Stock = tf.layers.batchNormalization({}).constructor as unknown as
  & (new (args: LayerArgs) => StockLayer & StockFields)
  & { className: string };

/**
 * tf's BatchNormalization layer with faster gradients, by the batch's statistics in training and by the moving ones else: same class name, configuration and weights, so it saves and
 * loads as the stock layer; same outputs, gradients and moving statistics.
 */
export class BatchNorm extends Stock {
  static override className = "BatchNormalization";

  override call(inputs: tf.Tensor | tf.Tensor[], options: { training?: boolean }): tf.Tensor | tf.Tensor[] {
    const x = Array.isArray(inputs) ? inputs[0] : inputs;
    const lastAxis = this.axis === -1 || this.axis === x.rank - 1;
    if (!lastAxis) return super.call(inputs, options);
    return tf.tidy(() => {
      const channels = x.shape[x.rank - 1];
      const gamma = this.gamma?.read() ?? tf.ones([channels]) as tf.Tensor1D;
      const beta = this.beta?.read() ?? tf.zeros([channels]) as tf.Tensor1D;
      if (!options.training) {
        const [mean, variance] = [this.movingMean.read(), this.movingVariance.read()];
        return normalizeFixed(x, { gamma, beta, mean, variance, epsilon: this.epsilon });
      }
      const { y, mean, variance } = normalizeBatch(x, gamma, beta, this.epsilon);
      follow(this.movingMean, mean, this.momentum);
      follow(this.movingVariance, variance, this.momentum);
      return y;
    });
  }
}
tf.serialization.registerClass(BatchNorm as unknown as tf.serialization.SerializableConstructor<BatchNorm>);

/**
 * A batch normalisation layer that trains fast on every engine.
 *
 * @param args as of `tf.layers.batchNormalization`: `epsilon` default 1e-3, `momentum` default 0.99
 */
export function batchNorm(args: LayerArgs = {}): StockLayer {
  return new BatchNorm(args);
}

/**
 * Normalises each channel by the batch's mean and biased variance, differentiable in `x`, `gamma` and `beta`.
 *
 * The gradient is derived by hand (Ioffe and Szegedy 2015, section 3): tfjs would otherwise differentiate the moments
 * operation by operation. Engines that have a fused kernel use it.
 *
 * @param x `[.., channels] float32`
 * @param gamma `[channels] float32`
 * @param beta `[channels] float32`
 * @returns `y` shaped like `x`; `mean` and `variance`, `[channels]`, through which no gradient flows
 */
export function normalizeBatch(
  x: tf.Tensor,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  epsilon: number,
): { y: tf.Tensor; mean: tf.Tensor1D; variance: tf.Tensor1D } {
  const statistics: tf.Tensor1D[] = [];
  const operation = tf.customGrad((...args) => {
    const [x, gamma, beta, save] = args as [tf.Tensor, tf.Tensor1D, tf.Tensor1D, tf.GradSaveFunc];
    const [y, mean, variance] = forward(x, gamma, beta, epsilon);
    save([x, gamma, mean, variance]);
    // A custom gradient has one output; the statistics leave it here, and the caller's tidy takes them over below.
    statistics.push(tf.keep(mean as tf.Tensor1D), tf.keep(variance as tf.Tensor1D));
    return {
      value: y,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [x, gamma, mean, variance] = saved;
        return backward(dy, x, gamma, mean, variance, epsilon);
      },
    };
  });
  const y = operation(x, gamma, beta);
  const [mean, variance] = statistics.map((tensor) => {
    const owned = tensor.clone();
    tensor.dispose();
    return owned;
  });
  return { y, mean, variance };
}

/** `y`, mean and variance. */
function forward(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: number): tf.Tensor[] {
  if (hasKernel(BATCH_NORM_TRAINING)) return runKernel(BATCH_NORM_TRAINING, { x, gamma, beta }, { epsilon });
  const { mean, variance } = tf.moments(x, rowAxes(x));
  const scale = tf.mul(gamma, tf.rsqrt(tf.add(variance, epsilon)));
  return [tf.add(tf.mul(tf.sub(x, mean), scale), beta), mean, variance];
}

/** Gradients of `x`, `gamma` and `beta`. */
function backward(
  dy: tf.Tensor,
  x: tf.Tensor,
  gamma: tf.Tensor,
  mean: tf.Tensor,
  variance: tf.Tensor,
  epsilon: number,
): tf.Tensor[] {
  if (hasKernel(BATCH_NORM_TRAINING_GRAD)) {
    return runKernel(BATCH_NORM_TRAINING_GRAD, { dy, x, gamma, mean, variance }, { epsilon });
  }
  const rows = x.size / gamma.size;
  const r = tf.rsqrt(tf.add(variance, epsilon));
  const xhat = tf.mul(tf.sub(x, mean), r);
  const dbeta = tf.sum(dy, rowAxes(x));
  const dgamma = tf.sum(tf.mul(dy, xhat), rowAxes(x));
  const centred = tf.sub(tf.sub(dy, tf.div(dbeta, rows)), tf.mul(xhat, tf.div(dgamma, rows)));
  return [tf.mul(centred, tf.mul(gamma, r)), dgamma, dbeta];
}

function rowAxes(x: tf.Tensor): number[] {
  return Array.from({ length: x.rank - 1 }, (_, axis) => axis);
}

/** Moves a running statistic toward the batch's, as tf.layers does. */
function follow(weight: Weight, value: tf.Tensor1D, momentum: number): void {
  tf.tidy(() => {
    const old = weight.read();
    weight.write(tf.sub(old, tf.mul(tf.sub(old, value), 1 - momentum)));
  });
}
