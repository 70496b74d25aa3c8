import { packageFile } from "./package_file.ts";
import { readFile } from "./read_file.ts";

/** The WebAssembly binaries that serving needs, and where they lie: in npm packages, or here. */
export const WASM_BINARIES = {
  kernels: "#kernels/inference.wasm",
  kernelsRelaxed: "#kernels/inference-relaxed.wasm",
  image: "#kernels/image.wasm",
  jpeg: "@cwasm/jpeg-turbo/jpeg-turbo.wasm",
  jpegEncoder: "@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm",
  png: "@jsquash/png/codec/pkg/squoosh_png_bg.wasm",
  webp: "@jsquash/webp/codec/dec/webp_dec.wasm",
  search: "#kernels/search.wasm",
  searchRelaxed: "#kernels/search-relaxed.wasm",
  tfjs: "@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm",
} as const;

/** The name of a WebAssembly binary. */
export type WasmBinary = keyof typeof WASM_BINARIES;

/** Where binaries come from. */
export type WasmSource = (name: WasmBinary) => Promise<Uint8Array<ArrayBuffer>>;

let source: WasmSource = (name) => readFile(packageFile(WASM_BINARIES[name]));
let compile = async (name: WasmBinary) => await WebAssembly.compile(await source(name));
const modules = new Map<WasmBinary, Promise<WebAssembly.Module>>();

/**
 * Takes the binaries from elsewhere than the places above: a bundle has none. To be called before the first is
 * used.
 *
 * @param compiled gives them compiled, for a runtime such as workerd, which compiles no WebAssembly itself
 */
export function takeWasmFrom(other: WasmSource, compiled?: (name: WasmBinary) => Promise<WebAssembly.Module>): void {
  source = other;
  if (compiled !== undefined) compile = compiled;
}

/** A binary as it is, to be handed on. */
export function readWasmBinary(name: WasmBinary): Promise<Uint8Array<ArrayBuffer>> {
  return source(name);
}

/** A binary as a module, compiled once. */
export function wasmModule(name: WasmBinary): Promise<WebAssembly.Module> {
  let module = modules.get(name);
  if (module === undefined) modules.set(name, module = compile(name));
  return module;
}
