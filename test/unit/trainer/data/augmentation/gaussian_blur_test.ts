import assert from "node:assert/strict";
import { gaussianBlur } from "../../../../../trainer/data/augmentation/gaussian_blur.ts";
import { randomStream } from "../../../../../trainer/random.ts";

for (const [height, width, sigma] of [[9, 13, 1.3], [5, 4, 2], [1, 7, 0.6], [16, 16, 0.3]]) {
  Deno.test(`gaussianBlur() of ${height} x ${width} pixels by ${sigma} is the sum over the plane, its edge going on`, () => {
    const random = randomStream(height, width);
    const rgb = Uint8Array.from({ length: 3 * height * width }, () => Math.floor(256 * random()));
    const expected = blurredSlowly(rgb, height, width, sigma);
    gaussianBlur(rgb, height, width, sigma);
    rgb.forEach((value, i) =>
      assert(Math.abs(value - expected[i]) < 0.5 + 1e-3, `${value} for ${expected[i]} at ${i}`)
    );
  });
}

Deno.test("gaussianBlur() keeps an even surface as it is, white and black too", () => {
  for (const value of [0, 1, 128, 255]) {
    const rgb = new Uint8Array(3 * 20 * 20).fill(value);
    gaussianBlur(rgb, 20, 20, 1.7);
    assert(rgb.every((blurred) => blurred === value));
  }
});

Deno.test("gaussianBlur() by next to nothing changes nothing", () => {
  const random = randomStream(1);
  const rgb = Uint8Array.from({ length: 3 * 8 * 8 }, () => Math.floor(256 * random()));
  const before = rgb.slice();
  gaussianBlur(rgb, 8, 8, 0.03);
  assert.deepEqual(rgb, before);
});

/** The definition: a weighted mean over the square of 3 standard deviations either way. */
function blurredSlowly(rgb: Uint8Array, height: number, width: number, sigma: number): number[] {
  const radius = Math.ceil(3 * sigma);
  const offsets = Array.from({ length: 2 * radius + 1 }, (_, i) => i - radius);
  const weight = (dy: number, dx: number) => Math.exp(-(dx ** 2 + dy ** 2) / (2 * sigma ** 2));
  const total = offsets.reduce((sum, dy) => sum + offsets.reduce((sum, dx) => sum + weight(dy, dx), 0), 0);
  const clamp = (value: number, size: number) => Math.min(size - 1, Math.max(0, value));
  return Array.from(rgb, (_, i) => {
    const c = i % 3, x = Math.floor(i / 3) % width, y = Math.floor(i / 3 / width);
    let sum = 0;
    for (const dy of offsets) {
      for (const dx of offsets) {
        sum += weight(dy, dx) * rgb[3 * (clamp(y + dy, height) * width + clamp(x + dx, width)) + c];
      }
    }
    return sum / total;
  });
}
