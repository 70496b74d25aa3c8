import assert from "node:assert/strict";
import type { Grid } from "../../../../shared/card.ts";
import { type Convolution, type Layers, planOf, runReference } from "../../../../shared/int8/mod.ts";

const LINEAR = { lowest: -Infinity, highest: Float64Array.of(Infinity), slopes: null };

/** A convolution of 1 x 1 with the weight `weight`. */
function pointwise(name: string, input: string, weight: number, more: Partial<Convolution> = {}): Convolution {
  return {
    ...{ op: "convolve", name, input, depthwise: false, strides: [1, 1], borders: [0, 0] },
    shape: { height: 1, width: 4, channels: 1 },
    kernel: { shape: [1, 1, 1, 1], values: Int8Array.of(weight) },
    ...{ scale: Float64Array.of(1), bias: Float32Array.of(0), biasName: null, addend: null, activation: LINEAR },
    ...more,
  };
}

function valuesOf(layers: Layers["layers"], grids: Record<string, Grid>, image: number[]) {
  const network: Layers = { layers, input: "image", inputShape: { height: 1, width: image.length, channels: 1 } };
  return runReference(planOf(network, new Map(Object.entries(grids))), Float32Array.from(image));
}

/** What is taken by something that works on codes, so that it may have a grid itself. */
const taker = (input: string) => pointwise("taker", input, 1);

Deno.test("numbers become codes by rounding to nearest, ties to even, and are kept within 0 and 127", () => {
  const layers = [pointwise("x", "image", 1, { shape: { height: 1, width: 6, channels: 1 } }), taker("x")];
  const values = valuesOf(layers, { x: { scale: 0.5, zero: 0 } }, [0.25, 0.75, 1.25, 1.2, -3, 1000]);
  assert.deepEqual([...values.get("x")!], [0, 2, 2, 2, 0, 127]);
});

Deno.test("codes mean (code - zero) * scale to the next layer", () => {
  const layers = [pointwise("x", "image", 1), pointwise("y", "x", -3, { bias: Float32Array.of(0.5) })];
  const values = valuesOf(layers, { x: { scale: 0.5, zero: 60 } }, [-30, -1, 0, 2]);
  assert.deepEqual([...values.get("x")!], [0, 58, 60, 64]);
  assert.deepEqual([...values.get("y")!], [90.5, 3.5, 0.5, -5.5]);
});

Deno.test("beyond the border lies the zero of the grid, not the code 0", () => {
  const wide = pointwise("y", "x", 1, {
    kernel: { shape: [1, 3, 1, 1], values: Int8Array.of(1, 1, 1) },
    borders: [0, 1],
  });
  const values = valuesOf([pointwise("x", "image", 1), wide], { x: { scale: 1, zero: 50 } }, [1, 2, 3, 4]);
  assert.deepEqual([...values.get("y")!], [3, 6, 9, 7]);
});

Deno.test("a value that is added is brought to the scale of the sum before anything is rounded", () => {
  const layers = [
    pointwise("x", "image", 1),
    pointwise("y", "x", 2),
    pointwise("z", "y", 1, { addend: "x" }),
    taker("z"),
  ];
  const grids = { x: { scale: 0.25, zero: 40 }, y: { scale: 0.5, zero: 50 }, z: { scale: 2, zero: 10 } };
  const values = valuesOf(layers, grids, [1, -1, 3, 3.25]);
  assert.deepEqual([...values.get("x")!], [44, 36, 52, 53]);
  assert.deepEqual([...values.get("y")!], [54, 46, 62, 63]);
  // 1 * 3, -1 * 3, 3 * 3 and 3.25 * 3, in steps of 2: 1.5, -1.5, 4.5 and 4.875.
  assert.deepEqual([...values.get("z")!], [12, 8, 14, 15]);
});

Deno.test("slopes bend what is below 0, and a limit that the codes do not keep is kept", () => {
  const bent = { lowest: -Infinity, highest: Float64Array.of(Infinity), slopes: Float32Array.of(0.25) };
  const limited = { lowest: 0, highest: Float64Array.of(6), slopes: null };
  const layers = [pointwise("x", "image", 1, { activation: bent }), pointwise("y", "x", 1, { activation: limited })];
  const values = valuesOf([...layers, taker("y")], { x: { scale: 1, zero: 20 }, y: { scale: 1, zero: 0 } }, [
    -8,
    2,
    9,
    6,
  ]);
  assert.deepEqual([...values.get("x")!], [18, 22, 29, 26]);
  assert.deepEqual([...values.get("y")!], [0, 2, 6, 6]);
});

Deno.test("the mean of codes is float32", () => {
  const mean = { op: "mean", name: "mean", input: "x", shape: { height: 1, width: 1, channels: 1 } } as const;
  const values = valuesOf([pointwise("x", "image", 1), mean], { x: { scale: 0.5, zero: 64 } }, [1, 2, -0.5, 4]);
  assert.deepEqual([...values.get("mean")!], [1.625]);
});

Deno.test("a range for a value that cannot be kept as codes is refused", () => {
  const dense = { op: "flatten", name: "flat", input: "x", shape: { height: 1, width: 1, channels: 4 } } as const;
  const layers = [pointwise("x", "image", 1), dense];
  assert.throws(() => valuesOf(layers, { x: { scale: 1, zero: 0 } }, [1, 2, 3, 4]), /range for x.*cannot keep/);
});
