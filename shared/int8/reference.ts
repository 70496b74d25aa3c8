import type { Grid } from "../card.ts";
import { type Shape, sizeOf } from "./layers.ts";
import {
  type AdditionStep,
  CODE_MAX,
  type ConvolutionStep,
  type Finish,
  type Operand,
  type PlainStep,
  type Plan,
  type Step,
} from "./plan.ts";

/** A value, `[height, width, channels]`: codes, or float32 numbers. */
export type Value = Uint8Array | Float32Array;

/**
 * Int8 inference of one image, number by number: what every faster way must equal, to the bit where the arithmetic of the
 * plan says so. Slow.
 *
 * @param image the network's input, `[height, width, channels] float32`
 * @returns every value by its name; that of the last step is the embedding
 */
export function runReference(plan: Plan, image: Float32Array): Map<string, Value> {
  const values = new Map<string, Value>([[plan.input, image]]);
  const shapes = shapesOf(plan);
  for (const step of plan.steps) values.set(step.layer.name, computeStep(step, values, shapes.get(step.layer.input)!));
  return values;
}

/** The shape of every value of a plan, by its name. */
export function shapesOf({ steps, input, inputShape }: Plan): Map<string, Shape> {
  return new Map([[input, inputShape], ...steps.map(({ layer }): [string, Shape] => [layer.name, layer.shape])]);
}

/**
 * One step of {@link runReference}.
 *
 * @param values at least those that the step takes, by their names
 * @param shape of the step's input
 */
export function computeStep(step: Step, values: ReadonlyMap<string, Value>, shape: Shape): Value {
  const x: Feature = { values: values.get(step.layer.input)!, shape };
  if ("multiplier" in step) return convolve(step, x, values);
  return "operands" in step ? add(step, values) : plain(step, x);
}

interface Feature {
  readonly values: Value;
  readonly shape: Shape;
}

function convolve(step: ConvolutionStep, x: Feature, values: ReadonlyMap<string, Value>): Value {
  const { layer: { shape }, multiplier, offset, addend, finish } = step;
  return empty(shape, finish.grid).map((_, i) => {
    const [row, column, channel] = placeOf(i, shape);
    const sum = Math.fround(sumAt(step, x, row, column, channel));
    let v = Math.fround(Math.fround(sum * multiplier[channel]) + offset[channel]);
    if (addend !== null) v = Math.fround(v + termOf(addend, values, i));
    return finished(v, channel, finish);
  });
}

/** What an operand adds to number `i`. */
function termOf({ name, zero, factor }: Operand, values: ReadonlyMap<string, Value>, i: number): number {
  return Math.fround((values.get(name)![i] - zero) * factor);
}

function placeOf(i: number, { width, channels }: Shape): [row: number, column: number, channel: number] {
  return [Math.floor(i / channels / width), Math.floor(i / channels) % width, i % channels];
}

/** The sum of weights times what lies under them. */
function sumAt({ layer, padding }: ConvolutionStep, x: Feature, row: number, column: number, channel: number): number {
  const { kernel: { shape: [rows, columns, ins, outs], values: weights }, strides, borders, depthwise } = layer;
  const first = depthwise ? channel : 0, last = depthwise ? channel + 1 : ins;
  let sum = 0;
  for (let dy = 0; dy < rows; dy++) {
    for (let dx = 0; dx < columns; dx++) {
      const y = row * strides[0] + dy - borders[0], z = column * strides[1] + dx - borders[1];
      const inside = y >= 0 && y < x.shape.height && z >= 0 && z < x.shape.width;
      const at = (y * x.shape.width + z) * x.shape.channels;
      const tap = (dy * columns + dx) * ins * outs;
      for (let c = first; c < last; c++) {
        sum += weights[depthwise ? tap + c : tap + c * outs + channel] * (inside ? x.values[at + c] : padding);
      }
    }
  }
  return sum;
}

function add({ layer: { shape }, operands: [a, b], finish }: AdditionStep, values: ReadonlyMap<string, Value>): Value {
  return empty(shape, finish.grid).map((_, i) =>
    finished(Math.fround(termOf(a, values, i) + termOf(b, values, i)), i % shape.channels, finish)
  );
}

/** The value of a number `v`. */
function finished(v: number, channel: number, { lowest, highest, slopes, grid }: Finish): number {
  if (slopes !== null && v < 0) v = Math.fround(v * slopes[channel]);
  v = Math.min(Math.max(v, lowest), highest?.[channel] ?? Infinity);
  return grid === null ? v : Math.min(Math.max(roundHalfToEven(v) + grid.zero, 0), CODE_MAX);
}

function plain({ layer, grid }: PlainStep, x: Feature): Value {
  switch (layer.op) {
    case "pad":
      return padded(x, layer.shape, layer.borders, grid);
    case "maxPool":
      return maxPooled(x, layer, grid);
    case "mean":
      return mean(x, grid);
    case "flatten":
      return x.values;
    case "dense":
      return Float32Array.from(layer.bias, (bias, out) => {
        let sum = bias;
        for (let i = 0; i < x.values.length; i++) sum += x.values[i] * layer.kernel[i * layer.bias.length + out];
        return sum;
      });
    case "normalize": {
      let square = 0;
      for (const value of x.values) square += value ** 2;
      return Float32Array.from(x.values, (value) => value / Math.sqrt(Math.max(square, layer.epsilon)));
    }
  }
}

function padded(x: Feature, shape: Shape, [top, left]: readonly [number, number], grid: Grid | null): Value {
  const y = empty(shape, grid).fill(grid?.zero ?? 0);
  const { width, height, channels } = x.shape;
  for (let row = 0; row < height; row++) {
    const line = x.values.subarray(row * width * channels, (row + 1) * width * channels);
    y.set(line, ((row + top) * shape.width + left) * channels);
  }
  return y;
}

function maxPooled(x: Feature, layer: PlainStep["layer"] & { op: "maxPool" }, grid: Grid | null): Value {
  const { shape, size, strides } = layer;
  return empty(shape, grid).map((_, i) => {
    const [row, column, channel] = placeOf(i, shape);
    let greatest = -Infinity;
    for (let dy = 0; dy < size[0]; dy++) {
      for (let dx = 0; dx < size[1]; dx++) {
        const at = (row * strides[0] + dy) * x.shape.width + column * strides[1] + dx;
        greatest = Math.max(greatest, x.values[at * shape.channels + channel]);
      }
    }
    return greatest;
  });
}

function mean({ values, shape: { height, width, channels } }: Feature, grid: Grid | null): Float32Array {
  const count = height * width, { scale, zero } = grid ?? { scale: 1, zero: 0 };
  const sums = new Float64Array(channels);
  values.forEach((value, i) => sums[i % channels] += value);
  return Float32Array.from(sums, (sum) => Math.fround(sum - count * zero) * Math.fround(scale / count));
}

function empty(shape: Shape, grid: Grid | null): Value {
  return grid === null ? new Float32Array(sizeOf(shape)) : new Uint8Array(sizeOf(shape));
}

function roundHalfToEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
