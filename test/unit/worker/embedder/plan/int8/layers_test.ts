import type { Grid } from "../../../../../../shared/card.ts";
import {
  type Convolution,
  INT8_BIAS,
  Int8Weight,
  type Layer,
  planOf,
  type Shape,
} from "../../../../../../shared/int8/mod.ts";
import { randomFrom } from "../support.ts";
import { assertEqualsReference } from "./support.ts";

const CASES = 40;
const random = randomFrom(17);
const from = <T>(...choices: T[]): T => choices[Math.floor(random() * choices.length)];
const between = (least: number, most: number) => least + Math.floor(random() * (most - least + 1));
const numbers = (count: number, least: number, most: number) =>
  Float32Array.from({ length: count }, () => least + (most - least) * random());

/** Sums of so many products of weights and codes are about so large. */
const spreadOf = (products: number) => 40 * 40 * Math.sqrt(products);

function activation(channels: number, isSigned: boolean): Convolution["activation"] {
  const highest = new Float64Array(channels).fill(Infinity), slopes = numbers(channels, -0.5, 1.5);
  if (!isSigned) return { lowest: 0, highest: from(highest, highest.map(() => 0.5 + random())), slopes: null };
  return { lowest: -Infinity, highest, slopes: from(null, slopes) };
}

/** A convolution with random weights, whose values are of about 1. */
function convolution(
  input: { name: string; shape: Shape },
  name: string,
  window: Partial<Record<"rows" | "columns" | "down" | "right" | "outputs", number>> & { depthwise?: boolean },
  scale: number,
): Convolution {
  const { depthwise = false, rows = 1, columns = 1, down = 1, right = 1 } = window, ins = input.shape.channels;
  const channels = depthwise ? ins : window.outputs ?? between(1, 20);
  const borders = [between(0, rows - 1), between(0, columns - 1)] as const;
  const size = (length: number, border: number, kernel: number, stride: number) =>
    Math.floor((length + border + between(0, kernel - 1) - kernel) / stride) + 1;
  const shape = {
    height: Math.max(1, size(input.shape.height, borders[0], rows, down)),
    width: Math.max(1, size(input.shape.width, borders[1], columns, right)),
    channels,
  };
  const products = rows * columns * (depthwise ? 1 : ins);
  const stored = Uint8Array.from({ length: products * channels }, () => INT8_BIAS + between(-127, 127));
  const kernel = new Int8Weight([rows, columns, ins, depthwise ? 1 : channels], stored);
  const unit = 1 / (scale * spreadOf(products));
  return {
    ...{ op: "convolve", name, input: input.name, shape, depthwise, kernel, strides: [down, right], borders },
    scale: Float64Array.from(numbers(channels, unit, 3 * unit)),
    bias: numbers(channels, -1 / unit, 1 / unit),
    ...{ biasName: null, addend: null, activation: activation(channels, false) },
  };
}

type Case = (x: { name: string; shape: Shape }, scale: number) => Layer[];

/** Images go through a layer that makes codes of them, then through those of the case, then through a mean. */
async function property(name: string, layersOf: Case): Promise<void> {
  for (let i = 0; i < CASES; i++) {
    const shape = { height: between(3, 14), width: between(3, 14), channels: from(1, 3, between(1, 9)) };
    const image = Float32Array.from({ length: shape.height * shape.width * shape.channels }, () => between(-9, 9));
    const stem = convolution({ name: "image", shape }, "stem", { rows: between(1, 3), columns: between(1, 3) }, 0.2);
    const isSigned = from(true, false);
    const signed = { ...stem, activation: activation(stem.shape.channels, isSigned) };
    const grids = new Map<string, Grid>([["stem", gridOf(isSigned)]]);
    const layers: Layer[] = [signed, ...layersOf(signed, grids.get("stem")!.scale)];
    for (const layer of layers.slice(1)) {
      if (layer.op === "convolve" || layer.op === "add") grids.set(layer.name, gridOf(layer.activation.lowest !== 0));
    }
    const { shape: { channels }, name: input } = layers.at(-1)!;
    layers.push({ op: "mean", name: "mean", input, shape: { height: 1, width: 1, channels } });
    const plan = planOf({ layers, input: "image", inputShape: shape }, grids);
    await assertEqualsReference(plan, image, `${name} ${i}`);
  }
}

function gridOf(isSigned: boolean): Grid {
  return isSigned ? { scale: 1 / 20, zero: between(1, 126) } : { scale: 1 / 40, zero: 0 };
}

/** The same layer, bent in one of the ways there are. */
function bent(layer: Convolution): Convolution {
  return { ...layer, activation: activation(layer.shape.channels, from(true, false)) };
}

const windows = () => ({
  ...{ rows: between(1, 6), columns: between(1, 6), down: between(1, 3), right: between(1, 3) },
});

Deno.test("int8 convolutions equal the reference to the bit for random shapes, strides, padding, channels and activations", () =>
  property("convolution", (x, scale) => [bent(convolution(x, "y", windows(), scale))]));

Deno.test("int8 depthwise convolutions equal the reference to the bit for random shapes, strides, padding and channels", () =>
  property("depthwise", (x, scale) => {
    const square = from({ rows: 3, columns: 3 }, { rows: 5, columns: 5 }, {});
    return [bent(convolution(x, "y", { ...windows(), ...square, depthwise: true }, scale))];
  }));

Deno.test("values added to int8 convolutions equal the reference to the bit", () =>
  property("residual", (x, scale) => {
    const y = convolution(x, "y", { depthwise: from(true, false), outputs: x.shape.channels }, scale);
    return [{ ...bent(y), addend: x.name }];
  }));

Deno.test("int8 additions equal the reference to the bit", () =>
  property("addition", (x, scale) => {
    const y = bent(convolution(x, "y", { outputs: x.shape.channels }, scale));
    const { op: _, ...rest } = bent(y);
    return [y, { op: "add", name: "z", input: "y", addend: x.name, shape: rest.shape, activation: rest.activation }];
  }));

Deno.test("zeros around int8 values, and the greatest of their codes, equal the reference to the bit", () =>
  property("pool", (x, scale) => {
    const { height, width, channels } = x.shape, borders = [between(0, 2), between(0, 2)] as const;
    const padded = { height: height + borders[0] + between(0, 2), width: width + borders[1] + between(0, 2), channels };
    const pad = { op: "pad", name: "pad", input: x.name, borders, shape: padded } as const;
    if (from(true, false)) return [pad, bent(convolution(pad, "y", windows(), scale))];
    const size = [between(1, 3), between(1, 3)] as const, strides = [between(1, 3), between(1, 3)] as const;
    const after = (length: number, axis: 0 | 1) => Math.floor((length - size[axis]) / strides[axis]) + 1;
    const shape = { height: after(padded.height, 0), width: after(padded.width, 1), channels };
    return [pad, { op: "maxPool", name: "pool", input: "pad", size, strides, shape }];
  }));
