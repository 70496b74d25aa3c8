import assert from "node:assert/strict";
import type { InputSpec } from "../../../../shared/card.ts";
import { fitPixels, type Image } from "../../../../shared/image/mod.ts";
import { augment, type Augmentation } from "../../../../trainer/data/augment.ts";
import { randomStream } from "../../../../trainer/random.ts";
import { cornersOf, quarters } from "../../../support/images.ts";

const INPUT: InputSpec = { height: 24, width: 24, channels: 3, fit: "cover", mean: [0, 0, 0], std: [1, 1, 1] };
const NONE: Augmentation = { minCropArea: 1, flip: false, brightness: 0, contrast: 0, saturation: 0 };
const photo: Image = { width: 60, height: 40, data: quarters(60, 40) };
const view = (options: Partial<Augmentation>, seed: number) =>
  augment(photo, INPUT, { ...NONE, ...options }, randomStream(seed));
const corners = (data: Uint8Array) => cornersOf({ width: 24, height: 24, data }, 3);

Deno.test("augment() without any variation is what serving sees", () => {
  assert.deepEqual(view({}, 1), fitPixels(photo, INPUT));
});

Deno.test("augment() gives the same view for the same stream, another for another", () => {
  const all = { minCropArea: 0.3, flip: true, brightness: 0.4, contrast: 0.4, saturation: 0.4 };
  assert.deepEqual(view(all, 7), view(all, 7));
  assert.notDeepEqual(view(all, 7), view(all, 8));
});

Deno.test("augment() mirrors half of the photos", () => {
  const mirrored = Array.from({ length: 200 }, (_, seed) => corners(view({ flip: true }, seed))[0] === "green").filter(
    Boolean,
  );
  assert(mirrored.length > 70 && mirrored.length < 130, `${mirrored.length} of 200`);
  assert.deepEqual(corners(view({ flip: true }, 0)).sort(), ["blue", "green", "red", "yellow"]);
});

Deno.test("augment() crops within the photo", () => {
  const white: Image = { width: 60, height: 40, data: new Uint8ClampedArray(60 * 40 * 4).fill(255) };
  for (let seed = 0; seed < 50; seed++) {
    const pixels = augment(
      white,
      INPUT,
      { ...NONE, minCropArea: 0.2 },
      randomStream(seed),
    );
    assert(pixels.every((value) => value === 255));
  }
});

Deno.test("augment() keeps a photo grey under changes of saturation", () => {
  const grey: Image = {
    width: 60,
    height: 40,
    data: new Uint8ClampedArray(60 * 40 * 4).map((_, i) => i % 4 === 3 ? 255 : 100),
  };
  const pixels = augment(
    grey,
    INPUT,
    { ...NONE, saturation: 1 },
    randomStream(3),
  );
  assert(pixels.every((value) => value === 100));
});
