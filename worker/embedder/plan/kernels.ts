import { type WasmBinary, wasmModule } from "../../../shared/wasm_modules.ts";

/** The kernels of `shared/kernels/assembly/inference.ts`. */
export type KernelName =
  | "addCodes"
  | "clearBorder"
  | "convolveCodes"
  | "convolveFused"
  | "decodeFloat16"
  | "decodeUint8"
  | "depthwiseCodes"
  | "depthwiseFused"
  | "fillBorder"
  | "finishSums"
  | "maxPoolCodes"
  | "meanCodes"
  | "packCodes"
  | "packColumns"
  | "pool"
  | "tabulate"
  | "winogradFilter"
  | "winogradFused";

/** An instance of the kernels. */
export type Kernels = Record<KernelName, (...args: number[]) => void>;

/** A call of a kernel. */
export interface Step {
  kernel: KernelName;
  args: number[];
}

/** Which build of the kernels. */
export type KernelBuild = "relaxed SIMD" | "SIMD";

/** `(func (drop (f32x4.relaxed_madd ..)))`: valid where a runtime has relaxed SIMD. */
const RELAXED = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 20, 1, 18, 0],
  ...[65, 0, 253, 17, 65, 0, 253, 17, 65, 0, 253, 17, 253, 133, 2, 26, 11],
);

/** The faster build that this runtime takes. */
export function fastestBuild(): KernelBuild {
  return WebAssembly.validate(RELAXED) ? "relaxed SIMD" : "SIMD";
}

/** Kernels on a memory. */
export async function instantiateKernels(build: KernelBuild, memory: WebAssembly.Memory): Promise<Kernels> {
  const binary: WasmBinary = build === "SIMD" ? "kernels" : "kernelsRelaxed";
  const instance = await WebAssembly.instantiate(await wasmModule(binary), { env: { memory } });
  return instance.exports as unknown as Kernels;
}
