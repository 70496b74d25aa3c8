import { readFile } from "node:fs/promises";
import { packageFile } from "./package_file.ts";

/** The WebAssembly binaries that serving needs, and where they lie in their npm packages. */
export const WASM_BINARIES = {
  jpeg: "@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm",
  png: "@jsquash/png/codec/pkg/squoosh_png_bg.wasm",
  webp: "@jsquash/webp/codec/dec/webp_dec.wasm",
  tfjs: "@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm",
} as const;

/** The name of a WebAssembly binary. */
export type WasmBinary = keyof typeof WASM_BINARIES;

/** Where compiled modules come from. */
export type WasmSource = (name: WasmBinary) => Promise<WebAssembly.Module>;

let source: WasmSource = (name) => readModule(packageFile(WASM_BINARIES[name]));
const modules = new Map<WasmBinary, Promise<WebAssembly.Module>>();

/**
 * Takes the modules from elsewhere than the installed npm packages: a bundle has none, and a runtime such as workerd compiles
 * no WebAssembly itself. To be called before the first is used.
 */
export function takeWasmModulesFrom(other: WasmSource): void {
  source = other;
}

/** A module, compiled once. */
export function wasmModule(name: WasmBinary): Promise<WebAssembly.Module> {
  let module = modules.get(name);
  if (module === undefined) modules.set(name, module = source(name));
  return module;
}

/** Reads and compiles a binary. */
export async function readModule(file: URL): Promise<WebAssembly.Module> {
  return await WebAssembly.compile(new Uint8Array(await readFile(file)));
}
