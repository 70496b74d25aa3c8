import type { StoredTensor } from "../../../../trainer/models/weights/safetensors.ts";

/** Numbers in [0, 1), each a hash of its index and the seed: those of test/fixtures/models/make_features.py. */
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

/** A checkpoint of PyTorch's with weights from the formula. */
export function checkpoint(weights: [name: string, seed: number, shape: number[]][]): Map<string, StoredTensor> {
  return new Map(
    weights.map(([name, seed, shape]) => [name, { dtype: "F32", shape, read: () => fill(name, seed, shape) }]),
  );
}

function fill(name: string, seed: number, shape: number[]): Float32Array<ArrayBuffer> {
  const size = (of: number[]) => of.reduce((product, n) => product * n, 1);
  const u = uniform(size(shape), seed);
  if (shape.length === 4) return Float32Array.from(u, (u) => (u * 2 - 1) * Math.sqrt(6 / size(shape.slice(1))));
  const centre = name.endsWith("running_mean") || name.endsWith("bias") ? -0.5 : 0.5;
  return Float32Array.from(u, (u) => u + centre);
}
