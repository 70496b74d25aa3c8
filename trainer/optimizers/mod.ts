/** Optimisers: what moves a network's variables down the gradient of a loss, and what averages them over the steps. */
export { createOptimizer, type Optimizer, type OptimizerSettings, type OptimizerState } from "./optimizer.ts";
export { record, type Recording } from "./recording.ts";
export { trainableVariables, variablesOf } from "./variables.ts";
export { WeightAverage, type WeightAverageState } from "./weight_average.ts";
