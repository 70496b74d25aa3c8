import { wasmModule } from "../../shared/wasm_modules.ts";

/** How many rows are scanned at a time. */
export const CHUNK = 2048;

/** The largest magnitude of a component of a query, so that no sum of the kernel's overflows. */
const QUERY_MAX = 8_191;
/** The longest row for which that holds. */
export const MAX_DIMENSIONS = 8_192;

const PAGE = 1 << 16;
const FLOAT = 4, SHORT = 2;
/** Where things lie: what was found, its scores, the query; then the chunks. */
const FOUND = 0, SCORES = CHUNK * FLOAT, QUERY = 2 * CHUNK * FLOAT, CHUNKS = QUERY + MAX_DIMENSIONS * SHORT;

interface Kernel {
  scan(
    rows: number,
    scales: number,
    count: number,
    stride: number,
    query: number,
    threshold: number,
    found: number,
    scores: number,
  ): number;
}

/** A query as the kernel takes it. */
export interface PreparedQuery {
  /** `query[i]` is about `scale` times what the kernel has. */
  scale: number;
  norm: number;
  /** Length of what is lost by rounding. */
  residual: number;
}

/** What `scan` finds: the first `length` of each, until the next call. */
export interface Hits {
  length: number;
  /** Numbers of rows within the part. */
  rows: Int32Array;
  /** Dot products with the query. */
  scores: Float32Array;
}

const NOTHING: Hits = { length: 0, rows: new Int32Array(0), scores: new Float32Array(0) };

/**
 * The memory of the search kernel, for all galleries of this process: chunks of rows of 8 bits, each with its scale. It grows
 * without moving anything, to at most 4 GiB.
 */
export class SearchHeap {
  readonly #memory = new WebAssembly.Memory({ initial: Math.ceil(CHUNKS / PAGE), maximum: 65_536 });
  readonly #kernel: Kernel;
  readonly #free = new Map<number, number[]>();
  #end = CHUNKS;

  /** @param module the binary of `shared/kernels/assembly/search.ts` */
  constructor(module: WebAssembly.Module) {
    const { exports } = new WebAssembly.Instance(module, { env: { memory: this.#memory } });
    this.#kernel = exports as unknown as Kernel;
  }

  /**
   * Takes a chunk of rows, none of which is found.
   *
   * @param stride bytes of a row, a multiple of 16
   * @returns its address
   * @throws {RangeError} if there is no memory left
   */
  take(stride: number): number {
    const size = CHUNK * (stride + FLOAT);
    const address = this.#free.get(stride)?.pop() ?? this.#grow(size);
    new Float32Array(this.#memory.buffer, address + CHUNK * stride, CHUNK).fill(NaN);
    return address;
  }

  /** Gives a chunk back. Nothing of its rows is left. */
  give(address: number, stride: number): void {
    new Uint8Array(this.#memory.buffer, address, CHUNK * (stride + FLOAT)).fill(0);
    const free = this.#free.get(stride);
    if (free === undefined) this.#free.set(stride, [address]);
    else free.push(address);
  }

  /** A row of a chunk, `[length] int8`; a view until the next `take`. */
  row(address: number, stride: number, row: number, length: number): Int8Array {
    return new Int8Array(this.#memory.buffer, address + row * stride, length);
  }

  /** @param scale NaN for a row that is not to be found */
  setScale(address: number, stride: number, row: number, scale: number): void {
    new Float32Array(this.#memory.buffer, address + CHUNK * stride, CHUNK)[row] = scale;
  }

  /** Sets the query of the scans that follow. @param query `[dim] float32` */
  prepare(query: Float32Array, stride: number): PreparedQuery {
    const quantized = new Int16Array(this.#memory.buffer, QUERY, stride).fill(0);
    let largest = 0;
    for (const value of query) largest = Math.max(largest, Math.abs(value));
    const scale = largest === 0 ? 1 : largest / QUERY_MAX;
    let squares = 0, lost = 0;
    for (let i = 0; i < query.length; i++) {
      quantized[i] = Math.round(query[i] / scale);
      squares += query[i] ** 2;
      lost += (query[i] - scale * quantized[i]) ** 2;
    }
    return { scale, norm: Math.sqrt(squares), residual: Math.sqrt(lost) };
  }

  /**
   * The rows of a part of a chunk whose dot product with the prepared query is at or above a threshold, but for rounding.
   *
   * @param first, last multiples of 4
   */
  scan(
    address: number,
    stride: number,
    [first, last]: readonly [number, number],
    { scale }: PreparedQuery,
    threshold: number,
  ): Hits {
    const rowsAt = address + first * stride, scalesAt = address + CHUNK * stride + first * FLOAT;
    const least = threshold / scale;
    const length = this.#kernel.scan(rowsAt, scalesAt, last - first, stride, QUERY, least, FOUND, SCORES);
    if (length === 0) return NOTHING;
    const rows = new Int32Array(this.#memory.buffer, FOUND, length);
    const scores = new Float32Array(this.#memory.buffer, SCORES, length);
    for (let i = 0; i < length; i++) scores[i] *= scale;
    return { length, rows, scores };
  }

  #grow(size: number): number {
    const address = this.#end;
    const missing = address + size - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / PAGE));
    this.#end = address + size;
    return address;
  }
}

let heap: Promise<SearchHeap> | undefined;

/** The heap of this process. */
export function searchHeap(): Promise<SearchHeap> {
  return heap ??= wasmModule("search").then((module) => new SearchHeap(module));
}
