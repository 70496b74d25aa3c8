import assert from "node:assert/strict";
import { ModelError } from "../../../../shared/errors.ts";
import { readSafetensors } from "../../../../trainer/models/weights/safetensors.ts";

const f32 = (dtype: string, shape: number[], start: number, end: number) => ({
  dtype,
  shape,
  data_offsets: [start, end],
});

/** A file of a header (as text or as JSON) and data. */
function fileOf(header: unknown, data: Uint8Array = new Uint8Array()): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + text.length + data.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  file.set(data, 8 + text.length);
  return file;
}

const bytesOf = (array: Float32Array | Uint16Array) => new Uint8Array(array.buffer);

function refuses(file: Uint8Array, reason: RegExp): void {
  assert.throws(() => readSafetensors(file, "w.safetensors"), (error) => {
    assert.ok(error instanceof ModelError);
    assert.match(
      error.message,
      /^The weight file w\.safetensors is damaged or no safetensors file \(.*\); download it/,
    );
    assert.match(error.message, reason);
    return true;
  });
}

Deno.test("readSafetensors() reads F32 tensors by name, with their shapes, at any alignment", () => {
  const header = { __metadata__: { a: "b" }, x: f32("F32", [2, 2], 4, 20), s: f32("F32", [], 0, 4) };
  const whole = fileOf(header, bytesOf(new Float32Array([7, 1, -2, 3.5, 1e-40])));
  const shifted = new Uint8Array(whole.length + 1);
  shifted.set(whole, 1);
  const tensors = readSafetensors(shifted.subarray(1), "w");
  assert.deepEqual([...tensors.keys()], ["x", "s"]);
  assert.deepEqual(tensors.get("x")!.shape, [2, 2]);
  assert.deepEqual([...tensors.get("x")!.read()], [...new Float32Array([1, -2, 3.5, 1e-40])]);
  assert.deepEqual([...tensors.get("s")!.read()], [7]);
});

Deno.test("readSafetensors() widens every half-precision number exactly", () => {
  const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const values = readSafetensors(fileOf({ x: f32("F16", [65536], 0, 131072) }, bytesOf(bits)), "w").get("x")!.read();
  // One by one: NaNs are equal whatever their bits.
  const expected = new Float16Array(bits.buffer);
  assert.deepEqual([...bits].filter((i) => !Object.is(values[i], expected[i])), []);
});

Deno.test("readSafetensors() widens bfloat16", () => {
  const bits = new Uint16Array([0x3f80, 0xc049, 0x0001, 0xff80]);
  const values = readSafetensors(fileOf({ x: f32("BF16", [4], 0, 8) }, bytesOf(bits)), "w").get("x")!.read();
  assert.deepEqual([...values], [1, -3.140625, 2 ** -133, -Infinity]);
});

Deno.test("readSafetensors() lists tensors of other types and refuses to read them as weights", () => {
  const tensor = readSafetensors(fileOf({ n: f32("I64", [], 0, 8) }, new Uint8Array(8)), "w").get("n")!;
  assert.equal(tensor.dtype, "I64");
  assert.throws(() => tensor.read(), /The tensor n is of type I64; only F32, F16 and BF16 weights can be used\./);
});

const DAMAGED: [string, Uint8Array, RegExp][] = [
  ["an empty file", new Uint8Array(), /less than 8 bytes/],
  ["a header longer than the file", Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0, 123, 125), /header of 9 bytes is too long/],
  ["a header length past all integers", new Uint8Array(16).fill(255), /header of 18446744073709551615 bytes/],
  ["a header that is no JSON", fileOf("{x"), /JSON/],
  ["a header that is no object", fileOf("[1]"), /no JSON object/],
  ["a header that is no UTF-8", fileOf("{}").with(8, 0xff), /./],
  ["an entry without a shape", fileOf({ x: { dtype: "F32", data_offsets: [0, 4] } }), /entry of x is malformed/],
  ["a negative size", fileOf({ x: f32("F32", [-1], 0, 4) }, new Uint8Array(4)), /entry of x is malformed/],
  ["a type that nobody knows", fileOf({ x: f32("F31", [1], 0, 4) }, new Uint8Array(4)), /unknown type F31/],
  ["a length that is not the shape's", fileOf({ x: f32("F32", [2], 0, 4) }, new Uint8Array(4)), /takes 4 bytes where/],
  ["sizes whose product overflows", fileOf({ x: f32("F32", [2 ** 52, 2 ** 52], 0, 4) }, new Uint8Array(4)), /takes 4 /],
  ["a tensor past the end", fileOf({ x: f32("F32", [2], 0, 8) }, new Uint8Array(4)), /take 8 bytes and the file has 4/],
  ["a file cut short", fileOf({ x: f32("F32", [1], 0, 4) }, new Uint8Array(3)), /take 4 bytes and the file has 3/],
  ["bytes after the last tensor", fileOf({ x: f32("F32", [1], 0, 4) }, new Uint8Array(5)), /the file has 5/],
  [
    "overlapping tensors",
    fileOf({ x: f32("F32", [2], 0, 8), y: f32("F32", [2], 4, 12) }, new Uint8Array(12)),
    /y starts at byte 4 of the data instead of 8/,
  ],
  ["a gap", fileOf({ x: f32("F32", [1], 4, 8) }, new Uint8Array(8)), /x starts at byte 4 of the data instead of 0/],
];
for (const [name, file, reason] of DAMAGED) {
  Deno.test(`readSafetensors() refuses ${name}`, () => refuses(file, reason));
}
