import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { ModelError } from "../../../../shared/errors.ts";
import type { Info } from "../heap.ts";
import type { KernelName } from "./job.ts";
import { type NativeKernels, nativeKernels } from "./kernels.ts";

/** Elements that a thread goes through in one go, one by one: a multiple of a vector. */
export const ELEMENTS_CHUNK = 2 ** 14;
const LANES = 4;
const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/** The part of Emscripten's module that memory takes. */
interface Heap {
  _malloc(bytes: number): number;
  _free(address: number): void;
  HEAPU8: Uint8Array;
}

/** Where in the backend's memory something lies, bytes. It stays there, however the memory grows. */
export type Address = number;

/** What one operation needs to run our kernels: addresses, and memory in between, which is freed when it is disposed. */
export class Workspace implements Disposable {
  readonly #backend: BackendWasm;
  readonly #heap: Heap;
  readonly #kernels: NativeKernels;
  readonly #taken: Address[] = [];

  constructor(backend: BackendWasm) {
    this.#backend = backend;
    this.#heap = backend.wasm as unknown as Heap;
    this.#kernels = nativeKernels(backend);
  }

  /** How many threads a kernel may run on at once. */
  get threads(): number {
    return this.#kernels.threads;
  }

  /** Where a tensor lies. */
  address({ dataId }: Info): Address {
    return this.#backend.getMemoryOffset(dataId);
  }

  /**
   * Memory for so many floats, with undefined values.
   *
   * @throws {ModelError} if the engine has no more
   */
  take(floats: number): Address {
    const bytes = floats * FLOAT;
    const address = this.#heap._malloc(bytes) >>> 0;
    if (address === 0) {
      throw new ModelError(
        `The wasm engine has no ${
          (bytes / 1e6).toFixed(0)
        } MB of memory left of its 4.3 GB: set chunkSize, or a smaller batch or imageSize.`,
      );
    }
    this.#taken.push(address);
    return address;
  }

  /** Floats that lie somewhere. Valid only until more memory is taken. */
  floats(address: Address, length: number): Float32Array {
    return new Float32Array(this.#buffer, address, length);
  }

  /** As {@link floats}, in double precision. */
  doubles(address: Address, length: number): Float64Array {
    return new Float64Array(this.#buffer, address, length);
  }

  /** Memory that holds these values, readable for a vector more. */
  put(values: ArrayLike<number>): Address {
    const address = this.take(values.length + LANES);
    this.floats(address, values.length).set(values);
    return address;
  }

  /** A copy of floats, readable for `slack` floats more. */
  copy(source: Address, length: number, slack: number): Address {
    const address = this.take(length + slack);
    this.floats(address, length).set(this.floats(source, length));
    return address;
  }

  /**
   * Runs a kernel over all its units of work, on all threads.
   *
   * @param chunk units that a thread does in one go; a share for each thread, unless given
   */
  run(kernel: KernelName, args: number[], units: number, chunk?: number): void {
    this.#kernels.run(kernel, args, units, Math.max(1, Math.ceil(chunk ?? units / this.#kernels.threads / SHARES)));
  }

  [Symbol.dispose](): void {
    for (const address of this.#taken) this.#heap._free(address);
  }

  get #buffer(): ArrayBufferLike {
    return this.#heap.HEAPU8.buffer;
  }
}

/** Chunks for each thread, so that one which is held up leaves its work to the others. */
const SHARES = 4;
