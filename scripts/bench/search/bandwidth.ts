import asc from "assemblyscript/asc";
import { median } from "../median.ts";

/** Far more than any cache holds, bytes. */
const SIZE = 256 << 20;
const ROUNDS = 21;

const SOURCE = `
export function read(from: usize, size: usize): i32 {
  let a = i64x2.splat(0), b = a, c = a, d = a;
  for (let end = from + size; from < end; from += 128) {
    a = v128.xor(a, v128.xor(v128.load(from), v128.load(from, 16)));
    b = v128.xor(b, v128.xor(v128.load(from, 32), v128.load(from, 48)));
    c = v128.xor(c, v128.xor(v128.load(from, 64), v128.load(from, 80)));
    d = v128.xor(d, v128.xor(v128.load(from, 96), v128.load(from, 112)));
  }
  return v128.any_true(v128.or(v128.or(a, b), v128.or(c, d))) ? 1 : 0;
}`;

/** What one core reads of its memory one byte after the other in WebAssembly SIMD: the median of several rounds, GB/s. */
export async function readBandwidth(): Promise<number> {
  const memory = new WebAssembly.Memory({ initial: SIZE >> 16 });
  new Uint32Array(memory.buffer).fill(1);
  const { exports } = new WebAssembly.Instance(await compile(), { env: { memory } });
  const read = exports.read as (from: number, size: number) => number;
  const times = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    read(0, SIZE);
    return performance.now() - start;
  });
  return SIZE / 1e6 / median(times);
}

async function compile(): Promise<WebAssembly.Module> {
  let binary: Uint8Array<ArrayBuffer> | undefined;
  const options = ["-O3", "--noAssert", "--runtime", "stub", "--importMemory", "--enable", "simd"];
  const { error } = await asc.main(["read.ts", "--outFile", "read.wasm", ...options], {
    readFile: (name) => name === "read.ts" ? SOURCE : null,
    writeFile: (_, contents) => void (binary = contents as Uint8Array<ArrayBuffer>),
    listFiles: () => [],
  });
  if (error !== null || binary === undefined) throw new Error(`The reader does not compile: ${error?.message}`);
  return await WebAssembly.compile(binary);
}
