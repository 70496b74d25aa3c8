import { wasmModule } from "../wasm_modules.ts";
import type { FilterTaps } from "./filter_taps.ts";
import type { Image, Layout } from "./image.ts";

/** From an image and the taps along its sides to `[rows, columns, 3]` 8-bit RGB, laid out. */
export type ResizeKernel = (
  image: Image,
  columns: FilterTaps,
  rows: FilterTaps,
  layout: Layout,
) => Uint8Array<ArrayBuffer>;

/** What `kernels/assembly/image.ts` exports. */
interface Exports {
  squeezeRows(
    rgba: number,
    squeezed: number,
    firsts: number,
    counts: number,
    weights: number,
    stride: number,
    rows: number,
    rowBytes: number,
    width: number,
  ): void;
  squeezeColumns(
    squeezed: number,
    row: number,
    pixels: number,
    firsts: number,
    counts: number,
    weights: number,
    stride: number,
    height: number,
    width: number,
    right: number,
    down: number,
  ): void;
}

const PAGE = 65536;
const ALIGNMENT = 16;
/** Bytes of the image that are in the kernel's memory at a time. */
const STRIP = 1 << 18;
/** The kernels' vectors of four floats go past the end of a row. */
const OVERHANG = 16;

let kernel: Promise<ResizeKernel> | undefined;

/** The kernel, instantiated once: it keeps nothing from one image to the next but its memory. */
export function resizeKernel(): Promise<ResizeKernel> {
  return kernel ??= instantiate();
}

async function instantiate(): Promise<ResizeKernel> {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { exports } = new WebAssembly.Instance(await wasmModule("image"), { env: { memory } });
  const { squeezeRows, squeezeColumns } = exports as unknown as Exports;
  return (image, columns, rows, { first, right, down }) => {
    const width = columns.first.length, height = rows.first.length;
    const top = rows.first[0], bottom = rows.first[height - 1] + rows.count[height - 1];
    const rowBytes = 4 * image.width, stripRows = Math.max(1, Math.floor(STRIP / rowBytes));
    const allocate = allocator(memory);
    const [columnTaps, rowTaps] = [allocateTaps(columns, allocate), allocateTaps(rows, allocate)];
    const row = allocate(12 * width + OVERHANG), pixels = allocate(3 * width * height);
    const strip = allocate(stripRows * rowBytes), squeezed = allocate((bottom - top) * 12 * width + OVERHANG);
    const bytes = new Uint8Array(memory.buffer);
    copyTaps(memory, columns, columnTaps);
    copyTaps(memory, rows, rowTaps, top);
    for (let y = top; y < bottom; y += stripRows) {
      const count = Math.min(stripRows, bottom - y);
      bytes.set(image.data.subarray(y * rowBytes, (y + count) * rowBytes), strip);
      squeezeRows(strip, squeezed + (y - top) * 12 * width, ...columnTaps, columns.stride, count, rowBytes, width);
    }
    const start = pixels + 3 * first;
    squeezeColumns(squeezed, row, start, ...rowTaps, rows.stride, height, width, 3 * right, 3 * down);
    return bytes.slice(pixels, pixels + 3 * width * height);
  };
}

/** Lays things one after the other from the start of a memory, which grows as it must. */
function allocator(memory: WebAssembly.Memory): (bytes: number) => number {
  let end = 0;
  return (bytes) => {
    const start = end;
    end += Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    const missing = end - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
    return start;
  };
}

type TapPointers = [firsts: number, counts: number, weights: number];

function allocateTaps({ first, weights }: FilterTaps, allocate: (bytes: number) => number): TapPointers {
  return [allocate(first.byteLength), allocate(first.byteLength), allocate(8 * weights.length)];
}

/** @param from where the inputs begin that are there */
function copyTaps({ buffer }: WebAssembly.Memory, taps: FilterTaps, [firsts, counts, weights]: TapPointers, from = 0) {
  new Int32Array(buffer, firsts).set(from === 0 ? taps.first : taps.first.map((first) => first - from));
  new Int32Array(buffer, counts).set(taps.count);
  new Float64Array(buffer, weights).set(taps.weights);
}
