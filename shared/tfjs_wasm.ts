import { env, ready, setBackend } from "@tensorflow/tfjs-core";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { createRequire } from "node:module";
import { dirname } from "node:path";

/** Makes tfjs compute with its WebAssembly SIMD backend, on one thread. */
export async function useWasmBackend(): Promise<void> {
  const binary = createRequire(import.meta.url).resolve(
    "@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm",
  );
  setWasmPaths(`${dirname(binary)}/`);
  env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  await setBackend("wasm");
  await ready();
}
