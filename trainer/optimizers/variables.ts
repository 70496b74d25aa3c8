import type * as tf from "@tensorflow/tfjs";

/**
 * The variables of a model that training changes, in the order of its layers.
 *
 * A layer with `trainable = false` contributes none.
 */
export function trainableVariables(model: tf.LayersModel): tf.Variable[] {
  return model.trainableWeights.map(variableOf);
}

/**
 * All variables of a model, BatchNorm's moving statistics among them, layer by layer: an order that, unlike that of
 * `model.getWeights()`, does not change with what is frozen.
 */
export function variablesOf(model: tf.LayersModel): tf.Variable[] {
  return model.layers.flatMap((layer) => layer.weights.map(variableOf));
}

/** tfjs hides the variable of a weight (its `LayerVariable`). */
function variableOf(weight: tf.LayersModel["weights"][number]): tf.Variable {
  return (weight as unknown as { val: tf.Variable }).val;
}
