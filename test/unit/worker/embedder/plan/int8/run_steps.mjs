// run_steps.mjs KERNELS MEMORY STEPS: runs kernels on a memory, which it writes back.
import { readFileSync, writeFileSync } from "node:fs";

const [kernels, file, steps] = process.argv.slice(2);
const bytes = readFileSync(file);
const memory = new WebAssembly.Memory({ initial: bytes.length / 2 ** 16 });
new Uint8Array(memory.buffer).set(bytes);
const { instance } = await WebAssembly.instantiate(readFileSync(kernels), { env: { memory } });
// Minus infinity is none of JSON's numbers.
const number = (value) => value === "-Infinity" ? -Infinity : value === "Infinity" ? Infinity : value;
for (const { kernel, args } of JSON.parse(readFileSync(steps, "utf8"))) instance.exports[kernel](...args.map(number));
writeFileSync(file, new Uint8Array(memory.buffer));
