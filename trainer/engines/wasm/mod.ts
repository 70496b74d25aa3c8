import * as tf from "@tensorflow/tfjs";
import { getThreadsCount } from "@tensorflow/tfjs-backend-wasm";
import { useWasmBackend } from "../../../shared/tfjs_wasm.ts";
import type { Engine } from "../engine.ts";
import { registerTrainingKernels } from "./register.ts";
import { MAX_THREADS, startThreadedBackend } from "./threads.ts";

/** What a 32-bit address reaches. */
const HEAP = 2 ** 32;

/** tfjs's WebAssembly SIMD backend on as many cores as it makes use of. */
export const wasmEngine: Engine = createWasmEngine(Math.min(navigator.hardwareConcurrency, MAX_THREADS));

/**
 * tfjs's WebAssembly SIMD backend with the kernels that training needs. A run repeated gives the same bits, on any number
 * of threads.
 *
 * A `wasm` backend that runs already is kept with its threads, because tensors may live in it.
 *
 * @param threads for convolutions and matrix products, from 1 to {@link MAX_THREADS}; all else runs on one
 */
export function createWasmEngine(threads: number): Engine {
  return {
    name: "wasm",
    summary: "WebAssembly SIMD, on any machine",
    memory: HEAP,
    async start() {
      registerTrainingKernels();
      const runs = "wasm" in tf.engine().registry;
      if (threads > 1 && !runs) await startThreadedBackend(threads);
      await useWasmBackend();
      const count = getThreadsCount();
      return `WebAssembly SIMD, ${count} ${count === 1 ? "thread" : "threads"}`;
    },
  };
}
