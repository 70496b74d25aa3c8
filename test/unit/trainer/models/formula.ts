import * as tf from "@tensorflow/tfjs";
import type { Initializers } from "../../../../trainer/models/initializer.ts";
import type { StoredTensor } from "../../../../trainer/models/weights/safetensors.ts";

/** For networks whose first weights do not matter: random ones take seconds. */
export const ZEROS = { he: () => tf.initializers.zeros(), glorot: () => tf.initializers.zeros() } as Initializers;

/** Numbers in [0, 1), each a hash of its index and the seed: those of test/fixtures/models/formula.py. */
export function uniform(count: number, seed: number): Float64Array {
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    let h = Math.imul(i + Math.imul(seed, 0x01000193), 0x9e3779b1);
    h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    values[i] = ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
  }
  return values;
}

/** Pixels in [-1, 1), `[height, width, 3]`. */
export function image(height: number, width: number, seed: number): Float32Array {
  return Float32Array.from(uniform(height * width * 3, seed), (u) => u * 2 - 1);
}

/** A tensor's name, the seed of its values, and its shape. */
export type Weights = [name: string, seed: number, shape: number[]][];

/** A checkpoint of PyTorch's with weights from the formula of make_features.py. */
export function checkpoint(weights: Weights): Map<string, StoredTensor> {
  return new Map(
    weights.map(([name, seed, shape]) => [name, stored(shape, () => fill(name, seed, shape, 1, [1, 2, 3]))]),
  );
}

/** Weights from the formula of formula.py, which keeps the activations of deep networks small. */
export function deepCheckpoint(weights: Weights, fanAxes: number[]): Map<string, StoredTensor> {
  return new Map(
    weights.map(([name, seed, shape]) => [name, stored(shape, () => fill(name, seed, shape, 0.4, fanAxes))]),
  );
}

function stored(shape: number[], read: () => Float32Array<ArrayBuffer>): StoredTensor {
  return { dtype: "F32", shape, read };
}

function fill(name: string, seed: number, shape: number[], gain: number, fanAxes: number[]): Float32Array<ArrayBuffer> {
  const size = (of: number[]) => of.reduce((product, n) => product * n, 1);
  const u = uniform(size(shape), seed);
  if (shape.length === 4) {
    const range = Math.sqrt(6 / size(fanAxes.map((axis) => shape[axis])));
    return mapped(u, (u) => (u * 2 - 1) * range);
  }
  if (/(mean|bias|beta)$/.test(name)) return mapped(u, (u) => u - 0.5);
  const scale = /(gamma|weight)$/.test(name) ? gain : name === "conv1_bn/moving_variance" ? 1e4 : 1;
  return mapped(u, (u) => (u + 0.5) * scale);
}

/** In single precision; `Float32Array.from` takes many times as long. */
function mapped(values: Float64Array, to: (value: number) => number): Float32Array<ArrayBuffer> {
  const results = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) results[i] = to(values[i]);
  return results;
}
