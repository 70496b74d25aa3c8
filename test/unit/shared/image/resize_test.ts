import assert from "node:assert/strict";
import { referenceResize } from "../../../../scripts/bench/decode/reference_resize.ts";
import { type Image, resize } from "../../../../shared/image/mod.ts";
import { randomStream } from "../../../../trainer/random.ts";

/** An image of noise. */
function noise(width: number, height: number, random: () => number): Image {
  return { width, height, data: new Uint8ClampedArray(4 * width * height).map(() => Math.floor(256 * random())) };
}

Deno.test("resize() equals Pillow's antialiased bilinear within one grey level", async () => {
  const { image, cases } = JSON.parse(
    await Deno.readTextFile(new URL("../../../fixtures/image/resize.json", import.meta.url)),
  );
  const source: Image = { width: image.width, height: image.height, data: Uint8ClampedArray.from(image.rgba) };
  for (const { box: [left, top, right, bottom], width, height, rgb } of cases) {
    const out = await resize(source, { x: left, y: top, width: right - left, height: bottom - top }, height, width);
    const worst = Math.max(...out.map((value, i) => Math.abs(value - rgb[i])));
    assert(worst <= 1, `${width} x ${height} of ${[left, top, right, bottom]}: off by ${worst}`);
  }
});

Deno.test("resize() equals its reference in TypeScript to the bit, whatever the region and the sizes", async () => {
  const random = randomStream(1), upTo = (most: number) => 1 + Math.floor(most * random());
  for (let i = 0; i < 150; i++) {
    const image = noise(upTo(150), upTo(150), random);
    const x = image.width * random() / 2, y = image.height * random() / 2;
    const region = { x, y, width: (image.width - x) * random(), height: (image.height - y) * random() };
    const [height, width] = [upTo(90), upTo(90)];
    assert.deepEqual(
      await resize(image, region, height, width),
      referenceResize(image, region, height, width),
      `${JSON.stringify(region)} of ${image.width} x ${image.height} to ${width} x ${height}`,
    );
  }
});

Deno.test("resize() of an image that is far larger than what the kernel takes at a time equals its reference", async () => {
  const image = noise(1500, 901, randomStream(2)), region = { x: 10.5, y: 3, width: 1400, height: 890 };
  for (const [height, width] of [[40, 60], [900, 3]]) {
    assert.deepEqual(await resize(image, region, height, width), referenceResize(image, region, height, width));
  }
});

Deno.test("resize() of images at the same time keeps them apart", async () => {
  const images = [1, 2, 3].map((seed) => noise(40 * seed, 30, randomStream(seed)));
  const region = { x: 0, y: 0, width: 40, height: 30 };
  const together = await Promise.all(images.map((image) => resize(image, region, 8, 9)));
  assert.deepEqual(together, images.map((image) => referenceResize(image, region, 8, 9)));
});
