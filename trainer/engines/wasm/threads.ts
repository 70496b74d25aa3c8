import * as tf from "@tensorflow/tfjs";
import { BackendWasm, setThreadsCount } from "@tensorflow/tfjs-backend-wasm";
import { createRequire } from "node:module";
import os from "node:os";
import { dirname, join } from "node:path";
import { startKernels } from "./native/kernels.ts";

/** The part of Emscripten's module that starting it takes. */
interface Module {
  cwrap(name: string, returns: "number" | null, takes: "number"[]): unknown;
  PThread: { terminateAllThreads(): void; unusedWorkers: Unreferable[]; runningWorkers: Unreferable[] };
  tfjs: Record<string, unknown>;
}
interface Unreferable {
  unref(): void;
}

/** As many as the build makes use of. */
export const MAX_THREADS = 4;

const INITIAL_PAGES = 256, MAXIMUM_PAGES = 65536;

const require = createRequire(import.meta.url);

/**
 * Starts tfjs's threaded SIMD build as its `wasm` backend. tfjs itself offers that build to browsers alone, so its module
 * is made here, and its threads run as `node:worker_threads`, which do not keep the process alive.
 *
 * XNNPACK divides the outputs among the threads and never a sum, so that the results are those of one thread, to the bit.
 *
 * @param threads how many, this one included, 2 to {@link MAX_THREADS}
 */
export async function startThreadedBackend(threads: number): Promise<void> {
  const script = require.resolve("@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-threaded-simd.js");
  const factory = require(script) as (options: object) => Promise<Module>;
  const worker = workerUrl(script);
  setThreadsCount(threads);
  // Ours, so that our own kernels can have it too.
  const wasmMemory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: MAXIMUM_PAGES, shared: true });
  const WebWorker = globalThis.Worker;
  const module = await withProcessorCount(2 * threads, () =>
    factory({
      wasmMemory,
      mainScriptUrlOrBlob: script,
      locateFile: (path: string) => path.endsWith(".worker.js") ? worker : join(dirname(script), path),
    }));
  // The module takes itself to be in Node and puts Node's workers in the place of the Web's.
  globalThis.Worker = WebWorker;
  const number = "number";
  module.tfjs = {
    init: module.cwrap("init", null, []),
    initWithThreadsCount: module.cwrap("init_with_threads_count", null, [number]),
    getThreadsCount: module.cwrap("get_threads_count", number, []),
    registerTensor: module.cwrap("register_tensor", null, [number, number, number]),
    disposeData: module.cwrap("dispose_data", null, [number]),
    dispose: module.cwrap("dispose", null, []),
  };
  tf.removeBackend("wasm");
  const backend = new BackendWasm(module as unknown as BackendWasm["wasm"]);
  startKernels(backend, threads);
  tf.registerBackend("wasm", () => backend, 2);
  await tf.setBackend("wasm");
  for (const thread of [...module.PThread.unusedWorkers, ...module.PThread.runningWorkers]) thread.unref();
}

/** The build's worker script as a module that needs no file of its own. */
function workerUrl(script: string): URL {
  const { wasmWorkerContents } = require(script.replace(/\.js$/, ".worker.js")) as { wasmWorkerContents: string };
  const source = wasmWorkerContents.replaceAll("\n", "\\n").replace("location:{href:__filename},", "");
  const prelude = `import { createRequire } from "node:module"; const require = createRequire(${
    JSON.stringify(script)
  });`;
  return new URL(`data:text/javascript,${encodeURIComponent(prelude + source)}`);
}

/** Runs the start of the module while the machine seems to have so many processors: it takes half of them for its threads. */
async function withProcessorCount<T>(count: number, start: () => Promise<T>): Promise<T> {
  const cpus = os.cpus;
  os.cpus = () => Array.from({ length: count }, () => ({}) as os.CpuInfo);
  try {
    return await start();
  } finally {
    os.cpus = cpus;
  }
}
