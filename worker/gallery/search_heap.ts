import { quantizeVector } from "../../shared/quantized_vector.ts";
import { wasmModule } from "../../shared/wasm_modules.ts";

/** Rows of a chunk, which is what is taken and given back at once. */
export const CHUNK = 1024;

/** The longest row; its products fit in 32 bits. */
const MAX_DIMENSIONS = 8_192;
/** How much is found before the threshold is looked at again. */
const CAPACITY = 64;
/** Of the kernel: rows of a group, parts of a scan, components that lie together, and of which a row's are a multiple. */
const ROWS = 4, PARTS = 4, VECTOR = 16, STEP = 32;

const PAGE = 1 << 16;
const NUMBER = 4;
/** Where things lie: what was found, its scores, the query; then the chunks. */
const FOUND = 0, SCORES = CAPACITY * NUMBER, QUERY = 2 * CAPACITY * NUMBER, CHUNKS = QUERY + MAX_DIMENSIONS;

interface Kernel {
  scan(
    at: number,
    first: number,
    groups: number,
    stride: number,
    query: number,
    slack: number,
    threshold: number,
    found: number,
    scores: number,
    capacity: number,
  ): number;
  /** Are read anew after each scan. */
  hits: WebAssembly.Global<"i32">;
  OFFSET: WebAssembly.Global<"i32">;
}

/** What is known of a row. */
interface Written {
  scale: number;
  norm: number;
  residual: number;
  squares: number;
}

/** Rows that a scan has found, until the next one. */
export interface Hits {
  /** What to go on with, or undefined if all was looked at. */
  next: number | undefined;
  /** The rows' numbers, counted from the address. */
  rows: Int32Array;
  /** `scale * (dot(row, query) + slack)` of each, in units of the query's scale. */
  scores: Float32Array;
}

/**
 * The memory of the search kernel, for all galleries of this process: chunks of rows of 8 bits, as the kernel wants them. It
 * grows without moving anything, to at most 4 GiB.
 */
export class SearchHeap {
  readonly #memory = new WebAssembly.Memory({ initial: Math.ceil(CHUNKS / PAGE), maximum: 65_536 });
  readonly #kernel: Kernel;
  readonly #free = new Map<number, number[]>();
  readonly #quantized = new Int8Array(MAX_DIMENSIONS);
  #bytes = new Int8Array(this.#memory.buffer);
  #view = new DataView(this.#memory.buffer);
  #end = CHUNKS;

  /** @param module a binary of `shared/kernels/assembly/search.ts` */
  constructor(module: WebAssembly.Module) {
    const { exports } = new WebAssembly.Instance(module, { env: { memory: this.#memory } });
    this.#kernel = exports as unknown as Kernel;
  }

  /**
   * Takes a chunk of rows, none of which is found.
   *
   * @param dimensions components of a row, at most 8,192
   * @returns its address
   * @throws {RangeError} if there is no memory left, or the rows are too long
   */
  take(dimensions: number): number {
    if (dimensions > MAX_DIMENSIONS) throw new RangeError(`an embedding has more than ${MAX_DIMENSIONS} dimensions`);
    const size = chunkBytes(dimensions);
    const address = this.#free.get(size)?.pop() ?? this.#grow(size);
    const group = ROWS * rowBytes(dimensions);
    for (let at = address + group; at <= address + size; at += group) {
      new Float32Array(this.#memory.buffer, at - VECTOR, ROWS).fill(NaN);
    }
    return address;
  }

  /** Gives a chunk back. Nothing of its rows is left. */
  give(address: number, dimensions: number): void {
    const size = chunkBytes(dimensions), free = this.#free.get(size);
    this.#bytes.fill(0, address, address + size);
    if (free === undefined) this.#free.set(size, [address]);
    else free.push(address);
  }

  /**
   * Writes a row of a chunk.
   *
   * @param embedding `[dim] float32`
   * @returns what is known of it: its scale, the lengths of it at 8 bits and of what is lost by that, and its squared length
   */
  write(address: number, row: number, embedding: Float32Array): Written {
    const quantized = this.#quantized.subarray(0, embedding.length);
    const scale = quantizeVector(embedding, quantized), bytes = this.#bytes;
    let sum = 0, norm = 0, lost = 0, squares = 0, at = this.#rowAt(address, row, embedding.length);
    for (let start = 0; start < embedding.length; start += VECTOR, at += ROWS * VECTOR) {
      const length = Math.min(VECTOR, embedding.length - start);
      for (let i = 0; i < length; i++) {
        const component = embedding[start + i], steps = quantized[start + i], left = component - scale * steps;
        bytes[at + i] = steps;
        sum += steps;
        norm += steps * steps;
        lost += left * left;
        squares += component * component;
      }
    }
    this.#setBeside(address, row, embedding.length, sum * this.#kernel.OFFSET.value, scale);
    // What is deleted later must not be left in it.
    quantized.fill(0);
    return { scale, norm: scale * Math.sqrt(norm), residual: Math.sqrt(lost), squares };
  }

  /** Overwrites a row of a chunk with zeros; it is not found any more. */
  clear(address: number, row: number, dimensions: number): void {
    const start = this.#rowAt(address, row, dimensions), end = start + ROWS * strideOf(dimensions);
    for (let at = start; at < end; at += ROWS * VECTOR) this.#bytes.fill(0, at, at + VECTOR);
    this.#setBeside(address, row, dimensions, 0, NaN);
  }

  /**
   * Sets the query of the scans that follow.
   *
   * @param query `[dim] float32`
   * @returns `query[i]` is about `scale` times what the kernel has; `residual` is the length of what is lost by that
   */
  prepare(query: Float32Array): { scale: number; residual: number } {
    const offset = this.#kernel.OFFSET.value;
    const quantized = new Uint8Array(this.#memory.buffer, QUERY, strideOf(query.length)).fill(offset);
    let largest = 0, lost = 0;
    for (const value of query) largest = Math.max(largest, Math.abs(value));
    const scale = largest === 0 ? 1 : largest / offset;
    for (let i = 0; i < query.length; i++) {
      const steps = Math.round(query[i] / scale);
      quantized[i] = offset + steps;
      lost += (query[i] - scale * steps) ** 2;
    }
    return { scale, residual: Math.sqrt(lost) };
  }

  /**
   * Looks for rows in chunks that lie one behind the other, until all are looked at or many are found.
   *
   * @param from 0, or what the last scan of the same chunks said to go on with
   */
  scan(address: number, from: number, chunks: number, dimensions: number, slack: number, threshold: number): Hits {
    const groups = chunks * CHUNK / ROWS / PARTS, stride = strideOf(dimensions);
    const { scan, hits } = this.#kernel, { buffer } = this.#memory;
    const next = scan(address, from, groups, stride, QUERY, slack, threshold, FOUND, SCORES, CAPACITY);
    return {
      next: next < groups ? next : undefined,
      rows: new Int32Array(buffer, FOUND, hits.value),
      scores: new Float32Array(buffer, SCORES, hits.value),
    };
  }

  /** Where a row's first components lie. */
  #rowAt(address: number, row: number, dimensions: number): number {
    const lane = row % ROWS;
    return address + (row - lane) * rowBytes(dimensions) + lane * VECTOR;
  }

  #setBeside(address: number, row: number, dimensions: number, sum: number, scale: number): void {
    const lane = row % ROWS;
    const at = address + (row - lane) * rowBytes(dimensions) + ROWS * strideOf(dimensions) + lane * NUMBER;
    this.#view.setInt32(at, sum, true);
    this.#view.setFloat32(at + VECTOR, scale, true);
  }

  #grow(size: number): number {
    const address = this.#end;
    const missing = address + size - this.#memory.buffer.byteLength;
    if (missing > 0) {
      this.#memory.grow(Math.ceil(missing / PAGE));
      this.#bytes = new Int8Array(this.#memory.buffer);
      this.#view = new DataView(this.#memory.buffer);
    }
    this.#end = address + size;
    return address;
  }
}

/** Bytes of a chunk of rows. */
export function chunkBytes(dimensions: number): number {
  return CHUNK * rowBytes(dimensions);
}

function rowBytes(dimensions: number): number {
  return strideOf(dimensions) + 2 * NUMBER;
}

function strideOf(dimensions: number): number {
  return Math.ceil(dimensions / STEP) * STEP;
}

let heap: Promise<SearchHeap> | undefined;

/** The heap of this process. */
export function searchHeap(): Promise<SearchHeap> {
  // Node 20 does not know relaxed SIMD.
  return heap ??= wasmModule("searchRelaxed").catch(() => wasmModule("search")).then((module) =>
    new SearchHeap(module)
  );
}
