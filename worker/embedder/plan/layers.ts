/**
 * A network as a list of layers, each of which is one pass over its output: what is computed, on which activations, with
 * which weights; nothing yet of how or where.
 *
 * @module
 */

/** An activation `[height, width, channels]`, named by its place in the list of all; the first is the image. */
export interface Value {
  height: number;
  width: number;
  channels: number;
}

/** A number for each side of an image. */
export interface Sides {
  top: number;
  left: number;
  bottom: number;
  right: number;
}

/** A number for each axis. */
export interface Extent {
  rows: number;
  columns: number;
}

/** What ends a layer: below zero a slope for each channel, where there are any, then the bounds. */
export interface Bend {
  slopes: Float32Array | null;
  least: number;
  most: number;
}

/** Windows that lie over the input at regular places. */
interface Windows {
  input: number;
  output: number;
  size: Extent;
  stride: Extent;
  /** Zeros around the input that windows reach over. */
  zeros: Sides;
}

/** A convolution, with what follows it in the same pass: bias, another value added, bend. */
export interface Linear extends Windows {
  kind: "convolution" | "depthwise";
  /** Name of the weight `[rows, columns, in, out]`, or `[rows, columns, channels]` of a depthwise one; its values; or null for ones. */
  filter: string | Float32Array | null;
  bias: Float32Array | null;
  /** A value of the output's shape. */
  residual: number | null;
  bend: Bend;
}

/** The greatest value, or the mean, of each window; what reaches over `outside` does not count. */
export interface Pool extends Windows {
  kind: "greatest" | "mean";
  outside: Sides;
}

/** One pass. */
export type Layer = Linear | Pool;

/** What the network gives: a value, or others one after the other, in each of so many parts. */
export type Output = { value: number } | { outer: number; parts: Output[] };

/** A network. */
export interface Network {
  values: Value[];
  /** In the order of computation. */
  layers: Layer[];
  output: Output;
  /** Squared length below which the embedding is not scaled to unit length; null if it never is. */
  epsilon: number | null;
}

/** No bend at all. */
export const STRAIGHT: Bend = { slopes: null, least: -Infinity, most: Infinity };

/** Nothing on any side. */
export const NO_SIDES: Sides = { top: 0, left: 0, bottom: 0, right: 0 };

/** Whether a layer is a convolution of either kind. */
export function isLinear(layer: Layer): layer is Linear {
  return layer.kind === "convolution" || layer.kind === "depthwise";
}

/** The values that an output is made of. */
export function valuesOf(output: Output): number[] {
  return "value" in output ? [output.value] : output.parts.flatMap(valuesOf);
}

/** The values that a layer reads. */
export function inputsOf(layer: Layer): number[] {
  return isLinear(layer) && layer.residual !== null ? [layer.input, layer.residual] : [layer.input];
}
