import assert from "node:assert/strict";
import { CODECS } from "../../../shared/image/codecs.ts";
import { decode, readHeader } from "../../../shared/image/mod.ts";
import { packageFile } from "../../../shared/package_file.ts";
import { capMemory } from "../../../shared/wasm_memory.ts";
import { WASM_BINARIES } from "../../../shared/wasm_modules.ts";
import { encodeWebp, quarters } from "../../support/images.ts";

const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const EXPORT = [7, 5, 1, 1, 0x6d, 2, 0];

/** A module that is a memory, exported, between two sections that stay as they are. */
const moduleOf = (...limits: number[]) =>
  Uint8Array.from([...HEADER, 1, 1, 0, 5, limits.length + 1, 1, ...limits, ...EXPORT]);

function memoryOf(binary: Uint8Array<ArrayBuffer>): WebAssembly.Memory {
  return new WebAssembly.Instance(new WebAssembly.Module(binary)).exports.m as WebAssembly.Memory;
}

Deno.test("capMemory() lets a memory grow up to the cap, whether it had a higher maximum or none", () => {
  for (const limits of [[0, 2], [1, 2, 0x80, 0x80, 2]]) {
    const memory = memoryOf(capMemory(moduleOf(...limits), 300));
    assert.equal(memory.buffer.byteLength, 2 * 65536);
    assert.equal(memory.grow(298), 2);
    assert.throws(() => memory.grow(1), RangeError);
  }
});

Deno.test("capMemory() leaves a lower maximum as it is, and a binary with its own cap", () => {
  const low = moduleOf(1, 2, 5);
  assert.deepEqual(capMemory(low, 300), low);
  const once = capMemory(moduleOf(0, 2), 300);
  assert.deepEqual(capMemory(once, 300), once);
});

Deno.test("capMemory() refuses a memory that begins above the cap, one of 64 bits, and a module without any", () => {
  assert.throws(() => capMemory(moduleOf(0, 7), 6), RangeError);
  assert.throws(() => capMemory(moduleOf(4, 2), 300), RangeError);
  assert.throws(() => capMemory(Uint8Array.from([...HEADER, 1, 1, 0]), 300), RangeError);
});

Deno.test("the binary of every decoder still is a module when its memory is capped", async () => {
  for (const name of ["jpeg", "png", "webp"] as const) {
    const binary = await Deno.readFile(packageFile(WASM_BINARIES[name]));
    const capped = capMemory(binary, 4096);
    assert.notDeepEqual(capped, binary, name);
    const [before, after] = [binary, capped].map((bytes) => new WebAssembly.Module(bytes));
    assert.deepEqual(WebAssembly.Module.exports(after), WebAssembly.Module.exports(before));
  }
});

Deno.test("a decoder runs out of memory at a bomb that got past the header's gate, and decodes the next image", async () => {
  const image = await encodeWebp(quarters(64, 48), 64, 48);
  const expected = await decode(image);
  // The size of a lossless image stands in the 28 bits after its signature: 16383 pixels a side, 1 GB.
  const bomb = image.slice();
  bomb.set([0xfe, 0xbf, 0xff, 0x0f], bomb.indexOf(0x2f, 20) + 1);
  const size = readHeader(bomb);
  assert.deepEqual([size.width, size.height], [16383, 16383]);
  const memories: WebAssembly.Memory[] = [];
  const { Instance } = WebAssembly;
  WebAssembly.Instance = class extends Instance {
    constructor(...args: ConstructorParameters<typeof Instance>) {
      super(...args);
      memories.push(...Object.values(this.exports).filter((value) => value instanceof WebAssembly.Memory));
    }
  };
  try {
    assert.equal(await CODECS.webp(bomb, size, 1).catch(() => null), null);
  } finally {
    WebAssembly.Instance = Instance;
  }
  assert.ok(memories.length > 0 && memories.every(({ buffer }) => buffer.byteLength <= 256 << 20));
  assert.deepEqual(await decode(image), expected);
});
