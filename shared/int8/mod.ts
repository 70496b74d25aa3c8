/**
 * Int8 inference: how a graph is read as layers, what exactly is computed, and a reference that computes it.
 *
 * @module
 */
export type { Convolution, Layer, Layers, Shape } from "./layers.ts";
export * from "./plan.ts";
export { readLayers } from "./read_layers.ts";
export { computeStep, runReference, shapesOf, type Value } from "./reference.ts";
export { INT8_BIAS, Int8Weight, readWeights, type Weight } from "./weights.ts";
