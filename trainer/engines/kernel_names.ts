import * as tf from "@tensorflow/tfjs";

/**
 * Kernels of our own that an engine may offer beside tfjs's. Code that uses one asks {@link hasKernel} first and composes
 * tensor operations where it is missing.
 */

/**
 * Batch normalisation with the statistics of the batch, over the last axis.
 * Inputs `x [.., channels]`, `gamma [channels]`, `beta [channels]`; attribute `epsilon`; outputs `y` like `x`,
 * `mean [channels]`, `variance [channels]` (biased).
 */
export const BATCH_NORM_TRAINING = "BatchNormTraining";

/**
 * Gradient of {@link BATCH_NORM_TRAINING}. Inputs `dy`, `x`, `gamma`, `mean`, `variance`; attribute `epsilon`;
 * outputs `dx`, `dgamma`, `dbeta`.
 */
export const BATCH_NORM_TRAINING_GRAD = "BatchNormTrainingGrad";

/**
 * Gradient of batch normalisation by given statistics. Inputs `dy`, `x`, `gamma`, `mean`, `variance`; attribute `epsilon`; outputs
 * `dx`, `dgamma`, `dbeta`.
 */
export const BATCH_NORM_FIXED_GRAD = "BatchNormFixedGrad";

/** Gradient of ReLU. Inputs `dy`, and the output `y`; attribute `maximum`, from which on it is flat too; output `dx`. */
export const RELU_GRAD = "ReluGrad";

/** Gradient of PReLU with a slope for each channel. Inputs `dy`, `x`, `alpha`; outputs `dx`, `dalpha`. */
export const PRELU_GRAD = "PreluGrad";

/**
 * One step of Adam or AdamW over one variable. Inputs `value`, `gradient`, `m`, `v` of one shape; attributes {@link AdamStepAttrs};
 * output the new value. Writes the new moments into the memory of `m` and `v`.
 */
export const ADAM_STEP = "AdamStep";

/** Attributes of {@link ADAM_STEP}. */
export interface AdamStepAttrs {
  learningRate: number;
  /** Decoupled: times the learning rate, the share of itself that the value loses. 0 for Adam. */
  weightDecay: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  /** The number of this step, from 1. */
  step: number;
}

/**
 * One step of gradient descent with momentum over one variable. Inputs `value`, `gradient`, `velocity` of one shape; attributes
 * {@link SgdStepAttrs}; output the new value. Writes the new velocity into the memory of `velocity`.
 */
export const SGD_STEP = "SgdStep";

/** Attributes of {@link SGD_STEP}. */
export interface SgdStepAttrs {
  learningRate: number;
  /** Times the value, added to the gradient. */
  weightDecay: number;
  momentum: number;
}

/** The Euclidean norm of all inputs, under any names, as one vector; output a scalar. */
export const GLOBAL_NORM = "GlobalNorm";

/** Whether the engine that runs now has this kernel. */
export function hasKernel(name: string): boolean {
  return tf.getKernel(name, tf.getBackend()) !== undefined;
}

/** Runs a kernel by its name on the engine that runs now. */
export function runKernel(name: string, inputs: Record<string, tf.Tensor>, attributes: object): tf.Tensor[] {
  const outputs = tf.engine().runKernel(name, inputs as unknown as tf.NamedTensorMap, attributes as tf.NamedAttrMap);
  return (Array.isArray(outputs) ? outputs : [outputs]) as tf.Tensor[];
}
