/**
 * The arithmetic of int8 inference, to the bit.
 *
 * A value that has a {@link Grid} is kept as codes from 0 to 127, which mean `(code - zero) * scale`; any other is float32.
 * Weights are whole numbers from -127 to 127 with a scale for each output channel, so a product of weight and code, and
 * the sum of two such products, fit 16 bits. A step of a plan goes from the values before it to its own:
 *
 * 1. `sum`, in whole numbers, exactly: of a convolution, weights times codes, with the code `padding` beyond the border.
 * 2. `v = float32(sum) * multiplier + offset`, in float32 with a rounding after each operation, never fused.
 * 3. What is added: `v = v + (code - zero) * factor`, with the same roundings; of a float32 value `v + x * factor`.
 * 4. Below 0 `v = v * slope`, where there are slopes; then `v = min(max(v, lowest), highest)`, where there are such limits.
 * 5. `code = min(max(roundHalfToEven(v) + zero, 0), 127)` where the value has a grid; otherwise the value is `v`.
 *
 * All roundings are those of IEEE 754, to nearest, ties to even: `f32x4.convert_i32x4_s`, `mul`, `add` and `nearest` of
 * WebAssembly, and `Math.fround` of JavaScript. Where a convolution takes float32 values, as the first one does, its `sum` is a
 * float32 sum in any order; what is computed in float32 throughout is the same on two runtimes up to rounding, all else to
 * the bit.
 *
 * @module
 */
import type { Activations, Grid } from "../card.ts";
import { ModelError } from "../errors.ts";
import type { Addition, Convolution, Layer, Layers } from "./layers.ts";

/** The largest code. */
export const CODE_MAX = 127;

/** What a step does with a number before it becomes the value (4 and 5 above). */
export interface Finish {
  /** -Infinity where clamping the codes does it. */
  readonly lowest: number;
  /** For each channel; null where there are no limits, or clamping the codes does it. */
  readonly highest: Float32Array | null;
  /** For each channel. */
  readonly slopes: Float32Array | null;
  readonly grid: Grid | null;
}

/** A value that is added: `(code - zero) * factor`, or `x * factor` where the value is float32 (zero is 0 there). */
export interface Operand {
  readonly name: string;
  readonly zero: number;
  readonly factor: number;
}

/** A convolution (1 to 5). */
export interface ConvolutionStep {
  readonly layer: Convolution;
  /** The code beyond the border: the zero of the input's grid, or 0. */
  readonly padding: number;
  readonly multiplier: Float32Array;
  readonly offset: Float32Array;
  readonly addend: Operand | null;
  readonly finish: Finish;
}

/** An addition: `v` is the first operand, to which 3 adds the second. */
export interface AdditionStep {
  readonly layer: Addition;
  readonly operands: readonly [Operand, Operand];
  readonly finish: Finish;
}

/**
 * Any other layer. The greatest of codes is a code of the same grid, and padding adds the code `zero`. The mean of `n` codes is
 * float32: `float32(sum - n * zero) * float32(scale / n)`. What comes after that is float32.
 */
export interface PlainStep {
  readonly layer: Exclude<Layer, Convolution | Addition>;
  /** Of the input. */
  readonly grid: Grid | null;
}

/** A step of int8 inference. */
export type Step = ConvolutionStep | AdditionStep | PlainStep;

/** Int8 inference of a network. */
export interface Plan extends Pick<Layers, "input" | "inputShape"> {
  readonly steps: readonly Step[];
}

/** Which of a network's values get a grid: those of convolutions and additions whose every taker works on codes. */
export function quantizableValues({ layers }: Layers): Layer[] {
  const takers = (name: string) =>
    layers.filter((layer) => layer.input === name || ("addend" in layer && layer.addend === name));
  const takesCodes = (layer: Layer): boolean =>
    layer.op === "maxPool" || layer.op === "pad"
      ? takers(layer.name).every(takesCodes)
      : layer.op === "convolve" || layer.op === "add" || layer.op === "mean";
  return layers.filter(({ op, name }) => {
    const after = takers(name);
    return (op === "convolve" || op === "add") && after.length > 0 && after.every(takesCodes);
  });
}

/** The grids of a model card by the names of their values. */
export function gridsOf(activations: Activations): Map<string, Grid> {
  return new Map(activations.map(({ node, scale, zero }) => [node, { scale, zero }]));
}

/**
 * Plans int8 inference: computes every constant of the arithmetic above, in double precision, and rounds it to float32 once.
 *
 * @param grids of values by their names; a value without one stays float32
 * @throws {ModelError} if there is a grid for a value that the network does not have, or cannot keep as codes
 */
export function planOf(network: Layers, grids: ReadonlyMap<string, Grid>): Plan {
  const known = new Set(quantizableValues(network).map(({ name }) => name));
  for (const name of grids.keys()) {
    if (known.has(name)) continue;
    throw new ModelError(`The model card has a range for ${name}, which int8 inference cannot keep in 7 bits.`);
  }
  const all = new Map(grids);
  for (const { op, name, input } of network.layers) {
    const kept = op === "maxPool" || op === "pad" ? all.get(input) : undefined;
    if (kept !== undefined) all.set(name, kept);
  }
  const { layers, input, inputShape } = network;
  return { steps: layers.map((layer) => stepOf(layer, all)), input, inputShape };
}

const UNIT: Grid = { scale: 1, zero: 0 };

/** @param grids of all values that have one */
function stepOf(layer: Layer, grids: ReadonlyMap<string, Grid>): Step {
  const input = grids.get(layer.input) ?? null, grid = grids.get(layer.name) ?? null;
  const { scale } = grid ?? UNIT;
  const operand = (name: string): Operand => {
    const own = grids.get(name) ?? UNIT;
    return { name, zero: own.zero, factor: Math.fround(own.scale / scale) };
  };
  switch (layer.op) {
    case "convolve":
      return {
        layer,
        padding: input?.zero ?? 0,
        ...rescaling(layer, input ?? UNIT, scale),
        addend: layer.addend === null ? null : operand(layer.addend),
        finish: finishOf(layer, grid),
      };
    case "add":
      return { layer, operands: [operand(layer.input), operand(layer.addend)], finish: finishOf(layer, grid) };
    default:
      return { layer, grid: input };
  }
}

/** `scale * (x * kernel + bias)` for `x = (code - zero) * input.scale`, in units of the output's scale. */
function rescaling(layer: Convolution, input: Grid, scale: number): Pick<ConvolutionStep, "multiplier" | "offset"> {
  const { channels } = layer.shape;
  const sums = new Float64Array(channels);
  if (input.zero !== 0) {
    const { values } = layer.kernel;
    for (let i = 0; i < values.length; i++) sums[i % channels] += values[i];
  }
  const multiplier = layer.scale.map((own) => input.scale * own / scale);
  return {
    multiplier: Float32Array.from(multiplier),
    offset: Float32Array.from(multiplier, (m, i) => m * (layer.bias[i] / input.scale - input.zero * sums[i])),
  };
}

function finishOf({ name, activation }: Convolution | Addition, grid: Grid | null): Finish {
  const { lowest, highest, slopes } = activation;
  if (grid === null) {
    return { lowest, highest: highest.some(Number.isFinite) ? Float32Array.from(highest) : null, slopes, grid };
  }
  const { scale, zero } = grid;
  if (lowest === 0 && zero !== 0) {
    throw new ModelError(
      `The model card has a zero of ${zero} for ${name}, which is never below 0; export the model again.`,
    );
  }
  const limits = Float32Array.from(highest, (limit) => limit / scale);
  const binding = limits.some((limit) => limit < CODE_MAX - zero);
  return { lowest: -Infinity, highest: binding ? limits : null, slopes, grid };
}
