import type { WeightSpec } from "../graph_json.ts";
import type { GraphFiles } from "../model_files.ts";

/** A weight of a graph as it is computed with. */
export interface Weight {
  readonly shape: readonly number[];
  /** `Int8Array` where it is stored as whole numbers from -127 to 127: see {@link isInt8}. */
  readonly values: Float32Array | Int32Array | Int8Array;
  /** Such whole numbers as the bytes that are stored, {@link INT8_BIAS} more. */
  readonly stored?: Uint8Array;
}

/** What a stored byte of a whole number is more than the number. */
export const INT8_BIAS = 128;

/**
 * Whether a weight is stored as whole numbers of 8 bits, which stock tfjs reads as floating-point numbers of the same values.
 */
export function isInt8({ quantization }: WeightSpec): boolean {
  return quantization?.dtype === "uint8" && quantization.scale === 1 && quantization.min === -INT8_BIAS;
}

/** Reads every weight of a graph, by its name. Whole numbers of 8 bits stay what they are, all other numbers become float32. */
export function readWeights({ modelJson, weights }: GraphFiles): Map<string, Weight> {
  const read = new Map<string, Weight>();
  let offset = 0;
  for (const spec of modelJson.weightsManifest.flatMap((group) => group.weights)) {
    const size = spec.shape.reduce((product, axis) => product * axis, 1);
    const stored = spec.quantization?.dtype ?? spec.dtype;
    const bytes = weights.subarray(offset, offset += size * BYTES[stored]);
    const { shape } = spec;
    read.set(spec.name, isInt8(spec) ? new Int8Weight(shape, bytes) : { shape, values: decode(spec, bytes.slice()) });
  }
  return read;
}

/** A weight in whole numbers of 8 bits: they are most of a network, and are decoded only when somebody asks for them. */
export class Int8Weight implements Weight {
  #values: Int8Array | undefined;
  /** @param stored the numbers, each {@link INT8_BIAS} more */
  constructor(readonly shape: readonly number[], readonly stored: Uint8Array) {}

  get values(): Int8Array {
    if (this.#values !== undefined) return this.#values;
    const values = this.#values = new Int8Array(this.stored.length);
    // Loops here, for networks have millions of weights, over which `from()` would iterate one by one.
    for (let i = 0; i < values.length; i++) values[i] = this.stored[i] - INT8_BIAS;
    return values;
  }
}

const BYTES = { float32: 4, int32: 4, bool: 1, uint8: 1, uint16: 2, float16: 2 };

function decode(spec: WeightSpec, { buffer }: Uint8Array<ArrayBuffer>): Weight["values"] {
  const { quantization } = spec;
  if (quantization === undefined) {
    if (spec.dtype === "bool") return Int32Array.from(new Uint8Array(buffer));
    return spec.dtype === "int32" ? new Int32Array(buffer) : new Float32Array(buffer);
  }
  const codes = quantization.dtype === "uint8" ? new Uint8Array(buffer) : new Uint16Array(buffer);
  const { scale = 1, min = 0 } = quantization, values = new Float32Array(codes.length);
  const isFloat16 = quantization.dtype === "float16";
  for (let i = 0; i < codes.length; i++) values[i] = isFloat16 ? fromFloat16(codes[i]) : codes[i] * scale + min;
  return values;
}

/** @param bits of an IEEE 754 number of half precision */
function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >>> 10) & 31, fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}
