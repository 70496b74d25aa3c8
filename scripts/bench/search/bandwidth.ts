import { compileKernel } from "../../build_kernels.ts";

/** Far more than the caches hold. */
const BYTES = 256 * 2 ** 20;
const PAGE = 2 ** 16;

/** Ways to read a buffer from the memory with WebAssembly SIMD on one core. */
export async function memoryReads(): Promise<{ bytes: number; read: () => void }[]> {
  const memory = new WebAssembly.Memory({ initial: BYTES / PAGE });
  // Pages that were never written are all the same one.
  new Uint8Array(memory.buffer).fill(1);
  const module = await WebAssembly.compile(await compileKernel("read.ts", ["--enable", "simd"]));
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return Object.values(exports).filter((way) => typeof way === "function").map((way) => ({
    bytes: BYTES,
    read: () => void way(0, BYTES),
  }));
}
