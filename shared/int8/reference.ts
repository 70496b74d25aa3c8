import type { Grid } from "../card.ts";
import { type Shape, sizeOf } from "./layers.ts";
import { type AdditionStep, CODE_MAX, type ConvolutionStep, type Finish, type PlainStep, type Plan } from "./plan.ts";

/** A value, `[height, width, channels]`: codes, or float32 numbers. */
export type Value = Uint8Array | Float32Array;

/**
 * Int8 inference of one image, number by number: what every faster way must equal, to the bit where the arithmetic of the
 * plan says so. Slow.
 *
 * @param image the network's input, `[height, width, channels] float32`
 * @returns every value by its name; that of the last step is the embedding
 */
export function runReference({ steps, input, inputShape }: Plan, image: Float32Array): Map<string, Value> {
  const values = new Map<string, Value>([[input, image]]);
  const shapes = new Map<string, Shape>([[input, inputShape]]);
  for (const step of steps) {
    const { name, input: from, shape } = step.layer;
    const x: Feature = { values: values.get(from)!, shape: shapes.get(from)! };
    if ("multiplier" in step) values.set(name, convolve(step, x, values));
    else if ("operands" in step) values.set(name, add(step, values));
    else values.set(name, plain(step, x));
    shapes.set(name, shape);
  }
  return values;
}

interface Feature {
  readonly values: Value;
  readonly shape: Shape;
}

function convolve(step: ConvolutionStep, x: Feature, values: ReadonlyMap<string, Value>): Value {
  const { layer, multiplier, offset, addend, finish } = step;
  const { channels, width, height } = layer.shape;
  const y = empty(layer.shape, finish.grid);
  const added = addend === null ? null : values.get(addend.name)!;
  for (let row = 0, i = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      for (let channel = 0; channel < channels; channel++, i++) {
        const sum = Math.fround(sumAt(step, x, row, column, channel));
        let v = Math.fround(Math.fround(sum * multiplier[channel]) + offset[channel]);
        if (addend !== null) v = Math.fround(v + Math.fround((added![i] - addend.zero) * addend.factor));
        y[i] = finished(v, channel, finish);
      }
    }
  }
  return y;
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

function add({ layer, operands: [a, b], finish }: AdditionStep, values: ReadonlyMap<string, Value>): Value {
  const y = empty(layer.shape, finish.grid);
  const left = values.get(a.name)!, right = values.get(b.name)!;
  for (let i = 0; i < y.length; i++) {
    const v = Math.fround((left[i] - a.zero) * a.factor);
    y[i] = finished(
      Math.fround(v + Math.fround((right[i] - b.zero) * b.factor)),
      i % layer.shape.channels,
      finish,
    );
  }
  return y;
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
  const { shape: { width, channels }, size, strides } = layer;
  return empty(layer.shape, grid).map((_, i) => {
    const channel = i % channels, column = Math.floor(i / channels) % width, row = Math.floor(i / channels / width);
    let greatest = -Infinity;
    for (let dy = 0; dy < size[0]; dy++) {
      for (let dx = 0; dx < size[1]; dx++) {
        const at = (row * strides[0] + dy) * x.shape.width + column * strides[1] + dx;
        greatest = Math.max(greatest, x.values[at * channels + channel]);
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
