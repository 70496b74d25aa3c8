/**
 * Int8 inference: how a graph is read as layers, what exactly is computed, and a reference that computes it.
 *
 * @module
 */
export { type Convolution, type Layer, type Layers, type Shape, sizeOf } from "./layers.ts";
export * from "./plan.ts";
export { readLayers } from "./read_layers.ts";
export { runReference, type Value } from "./reference.ts";
export { INT8_BIAS } from "./weights.ts";
