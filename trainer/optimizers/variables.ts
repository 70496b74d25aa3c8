import type * as tf from "@tensorflow/tfjs";

/**
 * The variables of a model that training changes, in the order of its layers.
 *
 * A layer with `trainable = false` contributes none.
 */
export function trainableVariables(model: tf.LayersModel): tf.Variable[] {
  return variablesOf(model.trainableWeights);
}

/**
 * The variables below weights of layers. Those of `model.weights` are all of a model, BatchNorm's moving statistics among
 * them, in the order of `model.getWeights()`.
 */
export function variablesOf(weights: tf.LayersModel["weights"]): tf.Variable[] {
  // tfjs hides the variable of a weight (its `LayerVariable`).
  return weights.map((weight) => (weight as unknown as { val: tf.Variable }).val);
}
