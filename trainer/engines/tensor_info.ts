import type * as tf from "@tensorflow/tfjs";

/** A tensor as kernels see it: a key into the backend's data, a shape and a type. */
export type Info = tf.TensorInfo;

/** The same memory under another shape; not to be freed beside the original. */
export function reshaped(tensor: Info, shape: number[]): Info {
  return { dataId: tensor.dataId, shape, dtype: tensor.dtype };
}

/** Inputs of both gradients of batch normalisation: `dy` and `x` alike, the others `[channels]`. */
export type BatchNormGradInputs = Record<"dy" | "x" | "gamma" | "mean" | "variance", Info>;
