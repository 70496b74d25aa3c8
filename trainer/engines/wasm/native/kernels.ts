import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { Worker } from "node:worker_threads";
import { JobBoard, type KernelExports, type KernelName, MAX_CHUNKS, type ThreadStart } from "./job.ts";

/** Our kernels on the memory of a backend. */
export interface NativeKernels {
  /** How many threads work at once. */
  readonly threads: number;
  /**
   * Runs a kernel over all its units of work.
   *
   * @param args its parameters but the last ones, which say which units to do, and by which thread
   * @param chunk units that one thread does in one go; more where there were too many chunks
   */
  run(kernel: KernelName, args: number[], units: number, chunk: number): void;
}

/** The memory of a backend: of the threaded build it is what that was given, of the other what it made. */
interface Memories {
  wasmMemory?: WebAssembly.Memory;
  asm?: { memory: WebAssembly.Memory };
}

const known = new WeakMap<BackendWasm, NativeKernels>();

/** Our kernels on the memory of a backend: those that were started with threads for it, or else on the caller's thread alone. */
export function nativeKernels(backend: BackendWasm): NativeKernels {
  return known.get(backend) ?? startKernels(backend, 1);
}

/**
 * Starts our kernels on the memory of a backend.
 *
 * @param threads how many, the caller's included; more than one if the backend's memory is shared
 */
export function startKernels(backend: BackendWasm, threads: number): NativeKernels {
  const { wasmMemory, asm } = backend.wasm as unknown as Memories;
  const memory = wasmMemory ?? asm!.memory;
  const shared = memory.buffer instanceof SharedArrayBuffer;
  const binary = `../../../../shared/kernels/training${shared ? "-threads" : ""}.wasm`;
  const module = new WebAssembly.Module(Deno.readFileSync(new URL(binary, import.meta.url)));
  const instance = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as KernelExports;
  const kernels = threads > 1 ? onThreads(instance, { module, memory }, threads) : onThisThread(instance);
  known.set(backend, kernels);
  return kernels;
}

function onThisThread(instance: KernelExports): NativeKernels {
  return {
    threads: 1,
    run(kernel, args, units, chunk) {
      for (let first = 0; first < units; first += chunk) {
        instance[kernel](...args, first, Math.min(units, first + chunk), 0);
      }
    },
  };
}

function onThreads(
  instance: KernelExports,
  start: Pick<ThreadStart, "module" | "memory">,
  threads: number,
): NativeKernels {
  const board = JobBoard.create();
  for (let thread = 1; thread < threads; thread++) {
    const workerData: ThreadStart = { ...start, board: board.buffer, thread };
    // It waits for work for ever, which must not keep the process alive.
    new Worker(new URL("./thread.ts", import.meta.url), { workerData }).unref();
  }
  addEventListener("unload", () => board.dismiss());
  return {
    threads,
    run(kernel, args, units, chunk) {
      if (units <= chunk) instance[kernel](...args, 0, units, 0);
      else board.work(instance, kernel, args, units, Math.max(chunk, Math.ceil(units / MAX_CHUNKS)));
    },
  };
}
