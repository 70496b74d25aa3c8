/**
 * Compiles the kernels of `shared/kernels/assembly` to WebAssembly, beside their sources.
 *
 *     deno task build
 *
 * @module
 */
import asc from "assemblyscript/asc";
import { ModelError } from "../shared/errors.ts";

const KERNELS = new URL("../shared/kernels/", import.meta.url);

/** What each binary is compiled from, and how, beside {@link OPTIONS}. */
const BINARIES: Record<string, { entry: string; options: string[] }> = {
  "search.wasm": { entry: "search.ts", options: ["--enable", "simd"] },
  "search-relaxed.wasm": { entry: "search.ts", options: ["--enable", "relaxed-simd"] },
  "image.wasm": { entry: "image.ts", options: ["--enable", "simd"] },
  "inference.wasm": { entry: "inference.ts", options: ["--enable", "simd"] },
  "inference-relaxed.wasm": { entry: "inference.ts", options: ["--enable", "relaxed-simd"] },
  "training.wasm": { entry: "training.ts", options: ["--enable", "relaxed-simd"] },
  "training-threads.wasm": {
    entry: "training.ts",
    options: ["--enable", "relaxed-simd", "--enable", "threads", "--sharedMemory", "--maximumMemory", "65536"],
  },
};
const OPTIONS = ["-O3", "--noAssert", "--runtime", "stub", "--importMemory", "--initialMemory", "1"];

/**
 * Compiles the kernels.
 *
 * @returns the binaries by file name
 * @throws {ModelError} with the compiler's words, if it refuses a source
 */
export async function compileKernels(): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const binaries = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const [name, { entry, options }] of Object.entries(BINARIES)) {
    binaries.set(name, await compileKernel(entry, options));
  }
  return binaries;
}

/**
 * Compiles one of the sources to a binary that imports its memory.
 *
 * @param options of the compiler, beside those of all kernels
 * @throws {ModelError} with the compiler's words, if it refuses the source
 */
export async function compileKernel(entry: string, options: string[]): Promise<Uint8Array<ArrayBuffer>> {
  let binary = new Uint8Array(), words = "";
  const { error } = await asc.main([entry, "--outFile", "kernel.wasm", ...OPTIONS, ...options], {
    readFile: readSource,
    writeFile: (_, contents) => void (binary = contents as Uint8Array<ArrayBuffer>),
    listFiles: () => [],
    stderr: { write: (text) => void (words += text) },
  });
  if (error !== null) throw new ModelError(`The kernels do not compile: ${error.message}\n${words}`);
  return binary;
}

async function readSource(name: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(new URL(`assembly/${name}`, KERNELS));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

if (import.meta.main) {
  for (const [name, binary] of await compileKernels()) {
    await Deno.writeFile(new URL(name, KERNELS), binary);
    console.log(`shared/kernels/${name}: ${binary.length} bytes`);
  }
}
