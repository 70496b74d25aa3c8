import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { encodeWeights, toUint8 } from "../../../../trainer/export/quantize.ts";
import "./exported.ts";

/** The weights as tfjs reads them back. */
function decoded({ specs, bytes }: ReturnType<typeof encodeWeights>): Record<string, number[]> {
  const tensors = tf.io.decodeWeights(bytes.buffer, specs as tf.io.WeightsManifestEntry[]);
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, Array.from(tensor.dataSync())]));
}

function randomValues(length: number, deviation: number, seed: number): Float32Array {
  return tf.randomNormal([length], 0, deviation, "float32", seed).dataSync<"float32">();
}

const CONSTANTS = [
  { name: "kernel", shape: [5, 7], values: randomValues(35, 0.1, 1) },
  { name: "bias", shape: [7], values: randomValues(7, 0.1, 2) },
  { name: "axes", shape: [2], values: Int32Array.of(1, 2) },
  { name: "odd", shape: [3, 1], values: Float32Array.of(-0.5, 0, 2) },
];

Deno.test("without quantisation tfjs reads back exactly what was written", () => {
  assert.deepEqual(
    decoded(encodeWeights(CONSTANTS, () => "none")),
    Object.fromEntries(CONSTANTS.map(({ name, values }) => [name, Array.from(values)])),
  );
});

Deno.test("tfjs reads float16 kernels back within 2^-11 of each value, and biases exactly", () => {
  const { kernel, bias, axes } = decoded(encodeWeights(CONSTANTS, () => "float16"));
  kernel.forEach((value, i) => {
    const wanted = CONSTANTS[0].values[i];
    assert.ok(Math.abs(value - wanted) <= Math.abs(wanted) * 2 ** -11);
  });
  assert.deepEqual(bias, Array.from(CONSTANTS[1].values));
  assert.deepEqual(axes, [1, 2]);
});

Deno.test("tfjs reads uint8 kernels back within half a step of each value, and biases exactly", () => {
  const encoded = encodeWeights(CONSTANTS, () => "uint8");
  const { kernel, bias } = decoded(encoded);
  const step = encoded.specs.find((spec) => spec.name === "kernel")?.quantization?.scale as number;
  const range = Math.max(...CONSTANTS[0].values) - Math.min(...CONSTANTS[0].values);
  assert.ok(Math.abs(step - range / 255) < 1e-6 * range);
  // The ends of the range move by up to half a step when zero is put on a level.
  kernel.forEach((value, i) => assert.ok(Math.abs(value - CONSTANTS[0].values[i]) <= step * 1.0001));
  assert.deepEqual(bias, Array.from(CONSTANTS[1].values));
});

Deno.test("tfjs reads whole numbers of 8 bits back exactly, from a byte each", () => {
  const values = Int8Array.of(-127, -1, 0, 1, 127, 5);
  const encoded = encodeWeights([{ name: "kernel", shape: [2, 3], values }], () => "none");
  assert.deepEqual(decoded(encoded), { kernel: [...values] });
  assert.equal(encoded.bytes.length, 6);
});

Deno.test("weights lie aligned: 4 bytes a value first, then 2, then 1", () => {
  const storage = { kernel: "uint8", odd: "float16" } as Record<string, "uint8" | "float16">;
  const { specs, bytes } = encodeWeights(CONSTANTS, (name) => storage[name] ?? "none");
  assert.deepEqual(specs.map((spec) => spec.name), ["bias", "axes", "odd", "kernel"]);
  assert.equal(bytes.length, 4 * 7 + 4 * 2 + 2 * 3 + 35);
});

Deno.test("a kernel past the range of float16 stays float32", () => {
  const constant = { name: "huge", shape: [1, 2], values: Float32Array.of(1e5, -1) };
  assert.deepEqual(decoded(encodeWeights([constant], () => "float16")), { huge: [1e5, -1] });
});

for (
  const [name, values] of Object.entries({
    "of both signs": [-0.31, 0, 0.97, 0.5],
    "all positive": [0.2, 0.9, 0, 0.4],
    "all negative": [-3, 0, -1],
    "all zero": [0, 0],
    "of one value": [0.7, 0],
    "tiny": [1e-30, 0, -2e-30],
  })
) {
  Deno.test(`toUint8() keeps zero exactly and errs by at most a step on values ${name}`, () => {
    const { codes, scale, min } = toUint8(Float32Array.from(values));
    values.forEach((value, i) => {
      const back = codes[i] * scale + min;
      if (value === 0) assert.equal(back, 0);
      assert.ok(Math.abs(back - value) <= scale, `${value} became ${back}`);
    });
  });
}
