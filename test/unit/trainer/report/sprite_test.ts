import assert from "node:assert/strict";
import { decode } from "../../../../shared/image/mod.ts";
import { makeSprite } from "../../../../trainer/report/sprite.ts";

Deno.test("makeSprite() lays grey pictures out in rows, scaled down to the long side", async () => {
  const pixels = [0, 60, 120, 180, 240].map((grey) => new Uint8Array(32 * 64).fill(grey));
  const sprite = await makeSprite({ pixels, height: 32, width: 64, channels: 1 }, 32);
  assert.deepEqual([sprite.columns, sprite.width, sprite.height], [3, 32, 16]);
  const image = await decode(Uint8Array.fromBase64(sprite.url.split(",")[1]));
  assert.deepEqual([image.width, image.height], [96, 32]);
  pixels.forEach(([grey], i) => {
    const x = (i % 3) * 32 + 16, y = Math.floor(i / 3) * 16 + 8;
    assert.ok(Math.abs(image.data[4 * (y * image.width + x)] - grey) <= 4);
  });
});

Deno.test("makeSprite() keeps the size of small pictures, and their colours", async () => {
  const pixels = [Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => [200, 40, 90][i % 3])];
  const sprite = await makeSprite({ pixels, height: 16, width: 16, channels: 3 }, 64);
  const image = await decode(Uint8Array.fromBase64(sprite.url.split(",")[1]));
  assert.equal(image.width, 16);
  [200, 40, 90].forEach((value, c) => assert.ok(Math.abs(image.data[4 * 136 + c] - value) <= 6));
});
