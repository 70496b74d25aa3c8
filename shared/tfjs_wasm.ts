import { env, ready, setBackend } from "@tensorflow/tfjs-core";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { packageFile } from "./package_file.ts";

/** Makes tfjs compute with its WebAssembly SIMD backend, on one thread. */
export async function useWasmBackend(): Promise<void> {
  const binary = packageFile("@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm");
  setWasmPaths(new URL(".", binary).href);
  env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  await setBackend("wasm");
  await ready();
}
