import { aligned } from "./frames.ts";
import type { Step } from "./kernels.ts";

/** Before it lie the kernels' own constants. */
const START = 4096;

/** Gives out memory, from the lowest address up. */
export class Addresses {
  /** The first that is free. */
  end = START;
  /** Numbers that go into memory once, as they are. */
  readonly vectors: { at: number; values: Float32Array | Int8Array | Uint32Array }[] = [];
  readonly #tables = new Map<string, { at: number; args: number[] }>();

  take(bytes: number): number {
    const at = this.end;
    this.end = at + aligned(bytes);
    return at;
  }

  vector(values: Float32Array | Int8Array | Uint32Array, bytes = values.byteLength): number {
    const at = this.take(bytes);
    this.vectors.push({ at, values });
    return at;
  }

  /** A table of the offsets of `height` by `width` places. */
  offsets(height: number, width: number, rowStep: number, columnStep: number): number {
    const key = [height, width, rowStep, columnStep].join();
    let table = this.#tables.get(key);
    if (table === undefined) {
      const at = this.take(height * width * 4);
      table = { at, args: [at, height, width, 0, rowStep, columnStep, 0, 1] };
      this.#tables.set(key, table);
    }
    return table.at;
  }

  /** Offsets of the rows of a matrix. */
  rows(rows: number, rowBytes: number): number {
    return this.offsets(1, rows, 0, rowBytes);
  }

  /** Offsets of the pixels of a grid as large as `output`, over another value. */
  table(
    output: Size,
    over: { rowBytes: number; pixelBytes: number },
    stride: { rows: number; columns: number },
  ): number {
    return this.offsets(output.height, output.width, stride.rows * over.rowBytes, stride.columns * over.pixelBytes);
  }

  /** Writes the vectors, and says what fills the tables. */
  fill(memory: WebAssembly.Memory): Step[] {
    const bytes = new Uint8Array(memory.buffer);
    for (const { at, values } of this.vectors) {
      bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    }
    return [...this.#tables.values()].map(({ args }) => ({ kernel: "tabulate", args }));
  }
}

interface Size {
  height: number;
  width: number;
}
