import { type StoredWeight, UncoveredGraphError } from "./graph.ts";
import { PANEL } from "./frames.ts";
import type { Kernels } from "./kernels.ts";

const FLOAT = 4;
/** Numbers that are decoded at a time. */
const CHUNK = 2 ** 16;
/** Bytes of the room in which that happens: numbers as they are stored, and after them as float32; some may be written past the end. */
export const DECODING_BYTES = 2 * FLOAT * (CHUNK + PANEL);

/** A weight that goes into memory once. */
export interface Packing {
  filter: StoredWeight;
  /** Taps, input channels and output channels; a depthwise filter has no output channels. */
  shape: { taps: number; inner: number; outputs: number | null };
  /** Input channels of the activations. */
  stored: number;
  to: number;
  /** Where the transformed filter goes, if it is to be. */
  transformed: number | null;
}

/**
 * Packs a filter `[taps, inner, outputs]` in panels of eight outputs, or lays a depthwise one out as `[taps, stored]`. Memory must be zero where it goes.
 *
 * @param room of {@link DECODING_BYTES} bytes
 */
export function pack(
  { filter, shape, stored, to, transformed }: Packing,
  room: number,
  memory: WebAssembly.Memory,
  kernels: Kernels,
): void {
  const { taps, inner } = shape;
  // Of a depthwise filter a row has one tap's channels; of another the outputs of one channel and tap.
  const columns = shape.outputs ?? inner, rows = shape.outputs === null ? taps : taps * inner;
  const decode = decoder(filter, room, memory, kernels);
  const rowsAtOnce = Math.floor(CHUNK / columns);
  if (rowsAtOnce === 0) throw new UncoveredGraphError("a filter with more channels", filter.spec.name);
  for (let row = 0; row < rows;) {
    const tap = Math.floor(row / inner);
    const end = shape.outputs === null || inner === stored ? rows : (tap + 1) * inner;
    const count = Math.min(rowsAtOnce, end - row);
    const decoded = decode(row * columns, count * columns);
    if (shape.outputs === null) {
      for (let i = 0; i < count; i++) {
        copy(memory, decoded + i * columns * FLOAT, to + (row + i) * stored * FLOAT, columns);
      }
    } else {
      const target = row + tap * (stored - inner) * (inner === stored ? 0 : 1);
      kernels.packColumns(decoded - target * columns * FLOAT, to, taps * stored, columns, target, target + count);
    }
    row += count;
  }
  if (transformed === null) return;
  const units = Math.ceil(columns / PANEL) * stored;
  kernels.winogradFilter(to, transformed, stored, units, 0, units);
}

function copy(memory: WebAssembly.Memory, from: number, to: number, floats: number): void {
  new Float32Array(memory.buffer).copyWithin(to / FLOAT, from / FLOAT, from / FLOAT + floats);
}

/** @returns a function that decodes so many numbers from one on, and says where they lie */
function decoder(
  { spec, bytes }: StoredWeight,
  room: number,
  memory: WebAssembly.Memory,
  kernels: Kernels,
): (first: number, count: number) => number {
  const stored = new Uint8Array(memory.buffer);
  const { quantization } = spec, format = quantization?.dtype ?? spec.dtype;
  const decoded = room + FLOAT * (CHUNK + PANEL);
  switch (format) {
    case "float32":
      return (first, count) => {
        stored.set(bytes.subarray(FLOAT * first, FLOAT * (first + count)), room);
        return room;
      };
    case "float16":
      return (first, count) => {
        stored.set(bytes.subarray(2 * first, 2 * (first + count)), room);
        kernels.decodeFloat16(room, decoded, count);
        return decoded;
      };
    case "uint8":
      return (first, count) => {
        stored.set(bytes.subarray(first, first + count), room);
        kernels.decodeUint8(room, decoded, count, quantization!.scale!, quantization!.min!);
        return decoded;
      };
    default:
      throw new UncoveredGraphError(`a weight of type ${format}`, spec.name);
  }
}
