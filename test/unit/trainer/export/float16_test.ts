import assert from "node:assert/strict";
import { FLOAT16_MAX, toFloat16 } from "../../../../trainer/export/float16.ts";

/** What half-precision bits stand for (IEEE 754-2008, section 3.4). */
function valueOf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * 2 ** -14 * fraction : sign * 2 ** (exponent - 15) * (1 + fraction);
}

const bitsOf = (value: number) => toFloat16(Float32Array.of(value))[0];

Deno.test("toFloat16() gives back every half-precision number, subnormal ones and signed zero included", () => {
  const bits = Uint16Array.from({ length: 65536 }, (_, i) => i).filter((i) => (i & 0x7c00) !== 0x7c00);
  assert.deepEqual(toFloat16(Float32Array.from(bits, valueOf)), bits);
});

Deno.test("toFloat16() rounds to nearest, and ties to even", () => {
  for (let bits = 0; bits < 0x7bff; bits++) {
    const [low, high] = [valueOf(bits), valueOf(bits + 1)];
    const middle = (low + high) / 2;
    const step = high - low;
    assert.deepEqual(
      Array.from(toFloat16(Float32Array.of(middle - step / 8, middle, middle + step / 8, -middle))),
      [bits, bits + bits % 2, bits + 1, (bits + bits % 2) | 0x8000],
    );
  }
});

Deno.test("toFloat16() takes what is too large to infinity, what is too small to zero, and keeps NaN", () => {
  assert.equal(valueOf(bitsOf(FLOAT16_MAX)), FLOAT16_MAX);
  assert.equal(valueOf(bitsOf(65519)), FLOAT16_MAX);
  assert.equal(valueOf(bitsOf(65520)), Infinity);
  assert.equal(valueOf(bitsOf(-1e30)), -Infinity);
  assert.equal(bitsOf(2 ** -25), 0);
  assert.equal(bitsOf(-(2 ** -26)), 0x8000);
  assert.equal(bitsOf(1e-45), 0);
  assert.ok(Number.isNaN(valueOf(bitsOf(NaN))));
});
