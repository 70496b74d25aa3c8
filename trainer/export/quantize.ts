import type { WeightSpec } from "../../shared/graph_json.ts";
import { INT8_BIAS } from "../../shared/int8/mod.ts";
import { FLOAT16_MAX, toFloat16 } from "./float16.ts";
import type { GraphConstant } from "./graph_def.ts";

/** How weights are stored: as they are, in half precision, or in 8 bits with a scale and a minimum for each tensor. */
export type StorageScheme = "none" | "float16" | "uint8";
/** How a model is exported: its weights stored in some way, or all of it for int8 arithmetic. */
export type Scheme = StorageScheme | "int8";

/** Weights as they lie in the shards, and the manifest that says how to read them. */
export interface EncodedWeights {
  readonly specs: WeightSpec[];
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Stores weights in the standard formats of tfjs, those of 4 bytes a value first, then 2, then 1, so that each lies aligned.
 *
 * Biases, slopes and everything else of one dimension stay float32: they are few, and an error in them moves a whole channel.
 * Whole numbers of 8 bits take a byte each under any scheme.
 *
 * @param schemeOf the scheme for a weight, by its name
 */
export function encodeWeights(
  constants: readonly GraphConstant[],
  schemeOf: (name: string) => StorageScheme,
): EncodedWeights {
  const encoded = constants.map((constant) => encode(constant, schemeOf(constant.name)));
  const sorted = [4, 2, 1].flatMap((width) => encoded.filter((one) => one.values.BYTES_PER_ELEMENT === width));
  const bytes = new Uint8Array(sorted.reduce((sum, { values }) => sum + values.byteLength, 0));
  let offset = 0;
  for (const { values } of sorted) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), offset);
    offset += values.byteLength;
  }
  return { specs: sorted.map(({ spec }) => spec), bytes };
}

/** Whether a scheme changes how a weight is stored. */
export function isQuantizable({ shape, values }: GraphConstant): boolean {
  return values instanceof Float32Array && shape.length > 1;
}

interface Encoded {
  readonly spec: WeightSpec;
  readonly values: Float32Array | Int32Array | Uint16Array | Uint8Array;
}

function encode(constant: GraphConstant, scheme: StorageScheme): Encoded {
  const { name, values } = constant;
  const shape = [...constant.shape];
  if (values instanceof Int32Array) return { spec: { name, shape, dtype: "int32" }, values };
  const spec: WeightSpec = { name, shape, dtype: "float32" };
  if (values instanceof Int8Array) {
    const quantization = { dtype: "uint8", scale: 1, min: -INT8_BIAS, original_dtype: "float32" } as const;
    return { spec: { ...spec, quantization }, values: Uint8Array.from(values, (value) => value + INT8_BIAS) };
  }
  if (!isQuantizable(constant) || scheme === "none") return { spec, values };
  if (scheme === "float16") {
    if (values.some((value) => Math.abs(value) > FLOAT16_MAX)) return { spec, values };
    return {
      spec: { ...spec, quantization: { dtype: "float16", original_dtype: "float32" } },
      values: toFloat16(values),
    };
  }
  const { codes, scale, min } = toUint8(values);
  return { spec: { ...spec, quantization: { dtype: "uint8", scale, min, original_dtype: "float32" } }, values: codes };
}

/**
 * Rounds to 256 levels, `value = code * scale + min`. The range takes in 0, and 0 is one of the levels (Jacob et al. 2018,
 * section 2.1): a weight that training or padding made zero stays zero.
 *
 * @returns `codes`, one byte a value; `scale` and `min` as tfjs's manifest has them
 */
export function toUint8(values: Float32Array): { codes: Uint8Array<ArrayBuffer>; scale: number; min: number } {
  let low = 0;
  let high = 0;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const scale = high > low ? (high - low) / 255 : 1;
  const zero = Math.round(-low / scale);
  const codes = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) {
    codes[i] = Math.max(0, Math.min(255, Math.round(values[i] / scale) + zero));
  }
  return { codes, scale, min: zero === 0 ? 0 : -zero * scale };
}
