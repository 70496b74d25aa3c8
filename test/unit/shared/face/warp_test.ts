import assert from "node:assert/strict";
import { type Similarity, warp } from "../../../../shared/face/mod.ts";
import type { Image } from "../../../../shared/image/mod.ts";

/** An image whose red and green say where a pixel lies. */
function ramp(width: number, height: number): Image {
  const data = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) data.set([x, y, 128], 4 * (y * width + x));
  }
  return { width, height, data };
}

const pixel = (
  rgb: Uint8Array,
  size: number,
  x: number,
  y: number,
) => [...rgb.subarray(3 * (y * size + x)).slice(0, 3)];

Deno.test("warp() without change copies pixels", async () => {
  const image = ramp(40, 30);
  const out = await warp(image, { a: 1, b: 0, tx: -8, ty: -5 }, 16);
  for (const [x, y] of [[0, 0], [15, 15], [3, 9]]) assert.deepEqual(pixel(out, 16, x, y), [x + 8, y + 5, 128]);
});

Deno.test("warp() by a quarter turn takes rows for columns", async () => {
  const turn: Similarity = { a: 0, b: 1, tx: 20, ty: 0 };
  const out = await warp(ramp(20, 20), turn, 20);
  for (const [x, y] of [[0, 0], [19, 3], [7, 11]]) assert.deepEqual(pixel(out, 20, x, y), [y, 19 - x, 128]);
});

Deno.test("warp() averages what it reduces: stripes of one pixel become grey, not stripes", async () => {
  const size = 240, data = new Uint8ClampedArray(size * size * 4).fill(255);
  for (let i = 0; i < size * size; i++) data.fill((i % size) % 2 * 255, 4 * i, 4 * i + 3);
  const out = await warp({ width: size, height: size, data }, { a: 0.1, b: 0.02, tx: 1, ty: -1 }, 20);
  for (const at of [0, 5, 10, 15]) assert.ok(Math.abs(pixel(out, 20, at, 10)[0] - 127.5) < 16);
});

Deno.test("warp() goes on with the last pixels beyond the edge", async () => {
  const out = await warp(ramp(20, 20), { a: 1, b: 0, tx: 10, ty: 0 }, 20);
  assert.deepEqual(pixel(out, 20, 0, 4), [0, 4, 128]);
});
