import { z } from "zod";
import { messageOf, ModelError } from "../../../shared/errors.ts";

/** A tensor in a file of weights. */
export interface StoredTensor {
  /** As the file calls it: `F32`, `F16`, `BF16`, `I64` and so on. */
  dtype: string;
  shape: number[];
  /**
   * Its values in row-major order.
   *
   * @throws {ModelError} if they are not floating point of 16 or 32 bits
   */
  read(): Float32Array<ArrayBuffer>;
}

/** Bits of one element, by type. */
const BITS: Record<string, number> = {
  ...{ BOOL: 8, U8: 8, I8: 8, F8_E4M3: 8, F8_E5M2: 8, U16: 16, I16: 16, F16: 16, BF16: 16 },
  ...{ U32: 32, I32: 32, F32: 32, U64: 64, I64: 64, F64: 64 },
};

const count = z.int().min(0);
const Entry = z.object({ dtype: z.string(), shape: z.array(count), data_offsets: z.tuple([count, count]) });
const Header = z.record(z.string(), z.unknown());

/** As the reference implementation: a longer header is taken for damage. */
const MAX_HEADER = 100_000_000;

/**
 * Reads a `.safetensors` file: 8 bytes of header length, a header in JSON, then the tensors without gaps, little-endian.
 *
 * @param bytes the whole file; the tensors are read from it when asked for
 * @param file its name, for errors
 * @returns tensors by name, in the order of the header
 * @throws {ModelError} if the file is damaged: a header that is none, a tensor out of bounds, overlapping another or of a
 *   length that is not its shape's
 * @see https://github.com/huggingface/safetensors#format
 */
export function readSafetensors(bytes: Uint8Array, file: string): Map<string, StoredTensor> {
  try {
    const { header, data } = split(bytes);
    const entries = Object.entries(header)
      .filter(([name]) => name !== "__metadata__")
      .map(([name, value]) => ({ name, ...parseEntry(name, value) }));
    checkLayout(entries, data.length);
    return new Map(entries.map(({ name, dtype, shape, data_offsets: [start, end] }) => [
      name,
      { dtype, shape, read: () => decode(name, dtype, data.slice(start, end)) },
    ]));
  } catch (error) {
    throw new ModelError(
      `The weight file ${file} is damaged or no safetensors file (${messageOf(error)}); download it again.`,
    );
  }
}

function split(bytes: Uint8Array): { header: Record<string, unknown>; data: Uint8Array } {
  if (bytes.length < 8) throw new Error("it has less than 8 bytes");
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > MAX_HEADER || length > bytes.length - 8) throw new Error(`its header of ${length} bytes is too long`);
  const end = 8 + Number(length);
  const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, end));
  const header = Header.safeParse(JSON.parse(text));
  if (!header.success) throw new Error("its header is no JSON object");
  return { header: header.data, data: bytes.subarray(end) };
}

function parseEntry(name: string, value: unknown): z.infer<typeof Entry> {
  const entry = Entry.safeParse(value);
  if (!entry.success) throw new Error(`the header's entry of ${name} is malformed`);
  const { dtype, shape, data_offsets: [start, end] } = entry.data;
  if (!Object.hasOwn(BITS, dtype)) throw new Error(`${name} has the unknown type ${dtype}`);
  const length = shape.reduce((product, size) => product * size, BITS[dtype] / 8);
  if (end - start !== length) {
    throw new Error(`${name} takes ${end - start} bytes where its shape [${shape}] of ${dtype} takes ${length}`);
  }
  return entry.data;
}

/** Every byte belongs to exactly one tensor. */
function checkLayout(entries: { name: string; data_offsets: [number, number] }[], length: number): void {
  const ordered = entries.toSorted((a, b) =>
    a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1]
  );
  let at = 0;
  for (const { name, data_offsets: [start, end] } of ordered) {
    if (start !== at) throw new Error(`${name} starts at byte ${start} of the data instead of ${at}`);
    at = end;
  }
  if (at !== length) throw new Error(`its tensors take ${at} bytes and the file has ${length}`);
}

function decode(name: string, dtype: string, bytes: Uint8Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  switch (dtype) {
    case "F32":
      return new Float32Array(bytes.buffer);
    case "F16":
      return Float32Array.from(new Uint16Array(bytes.buffer), fromHalf);
    case "BF16":
      // The upper half of a single-precision number.
      return new Float32Array(Uint32Array.from(new Uint16Array(bytes.buffer), (bits) => bits << 16).buffer);
    default:
      throw new ModelError(`The tensor ${name} is of type ${dtype}; only F32, F16 and BF16 weights can be used.`);
  }
}

/** The number that the bits of an IEEE 754 half stand for. */
function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}
