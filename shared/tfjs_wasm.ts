import { engine, findBackendFactory, ready, registerBackend, removeBackend, setBackend } from "@tensorflow/tfjs-core";
import { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import wasmFactory from "@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm.js";
import { wasmModule } from "./wasm_modules.ts";

// The package is CommonJS, and its types call its one export the default of a module.
const createModule = wasmFactory as unknown as (
  ...settings: Parameters<typeof wasmFactory.default>
) => Promise<WasmModule>;

type WasmModule = Awaited<ReturnType<typeof wasmFactory.default>> & {
  // deno-lint-ignore ban-types
  cwrap<F extends Function>(name: string, returns: "number" | null, takes: "number"[]): F;
};

/** Makes tfjs compute with its WebAssembly SIMD backend: the one that runs already, or else one on one thread. */
export async function useWasmBackend(): Promise<void> {
  if (!("wasm" in engine().registry)) {
    // tfjs's own factory compiles the binary from a file or a URL, which not every runtime can.
    if (findBackendFactory("wasm") !== null) removeBackend("wasm");
    registerBackend("wasm", createBackend);
  }
  await setBackend("wasm");
  await ready();
}

async function createBackend(): Promise<BackendWasm> {
  const binary = await wasmModule("tfjs");
  const module = await createModule({
    instantiateWasm: (imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void) => {
      const instance = new WebAssembly.Instance(binary, imports);
      done(instance);
      return instance.exports;
    },
  });
  // What tfjs's own factory adds, by the names of the binary's exports.
  module.tfjs = {
    init: module.cwrap("init", null, []),
    initWithThreadsCount: module.cwrap("init_with_threads_count", null, ["number"]),
    getThreadsCount: module.cwrap("get_threads_count", "number", []),
    registerTensor: module.cwrap("register_tensor", null, ["number", "number", "number"]),
    disposeData: module.cwrap("dispose_data", null, ["number"]),
    dispose: module.cwrap("dispose", null, []),
  };
  return new BackendWasm(module);
}
