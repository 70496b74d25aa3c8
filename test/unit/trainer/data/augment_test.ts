import assert from "node:assert/strict";
import type { InputSpec } from "../../../../shared/card.ts";
import { fitPixels, type Image } from "../../../../shared/image/mod.ts";
import { sha256 } from "../../../../shared/sha256.ts";
import { augment, type Augmentation } from "../../../../trainer/data/augment.ts";
import { toGrey } from "../../../../trainer/data/augmentation/color.ts";
import { randomStream } from "../../../../trainer/random.ts";
import { cornersOf, quarters } from "../../../support/images.ts";

const INPUT: InputSpec = { height: 24, width: 24, channels: 3, fit: "cover", mean: [0, 0, 0], std: [1, 1, 1] };
const NONE: Augmentation = {
  ...{ minCropArea: 1, flip: false, brightness: 0, contrast: 0, saturation: 0 },
  ...{ hue: 0, grey: 0, blur: 0, cutout: 0 },
};
const photo: Image = { width: 60, height: 40, data: quarters(60, 40) };
const view = (options: Partial<Augmentation>, seed: number) =>
  augment(photo, INPUT, { ...NONE, ...options }, randomStream(seed));
const corners = (data: Uint8Array) => cornersOf({ width: 24, height: 24, data }, 3);

Deno.test("augment() without any variation is what serving sees", async () => {
  assert.deepEqual(await view({}, 1), await fitPixels(photo, INPUT));
});

Deno.test("augment() gives the same view for the same stream, another for another", async () => {
  const all: Augmentation = {
    ...{ minCropArea: 0.3, flip: true, brightness: 0.4, contrast: 0.4, saturation: 0.4 },
    ...{ hue: 0.5, grey: 0.5, blur: 0.5, cutout: 0.5 },
  };
  assert.deepEqual(await view(all, 7), await view(all, 7));
  assert.notDeepEqual(await view(all, 7), await view(all, 8));
});

Deno.test("augment() mirrors half of the photos", async () => {
  const views = await Array.fromAsync({ length: 200 }, (_, seed) => view({ flip: true }, seed));
  const mirrored = views.filter((pixels) => corners(pixels)[0] === "green");
  assert(mirrored.length > 70 && mirrored.length < 130, `${mirrored.length} of 200`);
  assert.deepEqual(corners(views[0]).sort(), ["blue", "green", "red", "yellow"]);
});

Deno.test("augment() crops within the photo", async () => {
  const white: Image = { width: 60, height: 40, data: new Uint8ClampedArray(60 * 40 * 4).fill(255) };
  for (let seed = 0; seed < 50; seed++) {
    const pixels = await augment(
      white,
      INPUT,
      { ...NONE, minCropArea: 0.2 },
      randomStream(seed),
    );
    assert(pixels.every((value) => value === 255));
  }
});

Deno.test("augment() keeps a photo grey under changes of saturation", async () => {
  const grey: Image = {
    width: 60,
    height: 40,
    data: new Uint8ClampedArray(60 * 40 * 4).map((_, i) => i % 4 === 3 ? 255 : 100),
  };
  const pixels = await augment(
    grey,
    INPUT,
    { ...NONE, saturation: 1 },
    randomStream(3),
  );
  assert(pixels.every((value) => value === 100));
});

Deno.test("augment() without hue, grey, blur and cutout gives the views that it always gave", async () => {
  const random = randomStream(1, "photo"), width = 61, height = 43;
  const data = new Uint8ClampedArray(4 * width * height).map((_, i) => i % 4 === 3 ? 255 : Math.floor(256 * random()));
  const views: number[] = [];
  for (const [channels, minCropArea, flip] of [[3, 0.3, true], [1, 0.5, true], [3, 1, true], [3, 1, false]] as const) {
    const zeros = Array<number>(channels).fill(0);
    const input: InputSpec = { height: 24, width: 20, channels, fit: "cover", mean: zeros, std: zeros.map(() => 1) };
    const options = { ...NONE, minCropArea, flip, brightness: 0.4, contrast: 0.3, saturation: 0.5 };
    for (let seed = 0; seed < 20; seed++) {
      views.push(...await augment({ width, height, data }, input, options, randomStream(seed)));
    }
  }
  assert.equal(
    await sha256(Uint8Array.from(views)),
    "sha256:fc92ba06eabe96ee986765c19d2969b009ff5c5dd1b7be8c287874f6a25af56c",
  );
});

Deno.test("augment() varies a view after all else alike, whether or not it is made grey or a patch is cut out at the end", async () => {
  const before: Partial<Augmentation> = { minCropArea: 0.3, flip: true, brightness: 0.4, hue: 0.1 };
  for (let seed = 0; seed < 20; seed++) {
    const plain = await view(before, seed), grey = plain.slice(), cut = await view({ ...before, cutout: 0.5 }, seed);
    toGrey(grey);
    assert.deepEqual(await view({ ...before, grey: 1 }, seed), grey);
    cut.forEach((value, i) => assert(value === plain[i] || value === 0));
  }
});

Deno.test("augment() makes grey, blurs and cuts out of as many photos as it is told", async () => {
  // The blur goes by the longer side: a low view shows as much of it, and is made faster.
  const low: InputSpec = { ...INPUT, height: 4, width: 224 };
  const plain = await augment(photo, low, NONE, randomStream(1));
  const share = async (options: Partial<Augmentation>) => {
    const all = { ...NONE, ...options };
    const views = await Array.fromAsync({ length: 300 }, (_, seed) => augment(photo, low, all, randomStream(seed)));
    return views.filter((varied) => plain.some((value, i) => value !== varied[i])).length / 300;
  };
  const near = (value: number, expected: number) => assert(Math.abs(value - expected) < 0.08, `${value}`);
  near(await share({ grey: 0.3 }), 0.3);
  near(await share({ blur: 0.4 }), 0.36);
  near(await share({ cutout: 0.5 }), 0.95);
  assert.equal(await share({ grey: 1 }), 1);
});

Deno.test("augment() blurs a view of SimCLR's size by 0.1 to 2 pixels, and a smaller one by as much less", async () => {
  const dot = (size: number): Image => {
    const data = new Uint8ClampedArray(size * size * 4).fill(255);
    for (let y = 0; y < size; y++) data.fill(0, 4 * (y * size + (size >> 1)), 4 * ((y + 1) * size));
    return { width: size, height: size, data };
  };
  // The edge between white and black is as wide as the kernel: up to 4 standard deviations of it can be seen in 8 bits.
  const widest = async (size: number) => {
    const input: InputSpec = { ...INPUT, height: size, width: size };
    const widths = await Array.fromAsync({ length: 30 }, async (_, seed) => {
      const view = await augment(dot(size), input, { ...NONE, blur: 1 }, randomStream(seed));
      return view.subarray(0, 3 * size).filter((value, i) => i % 3 === 0 && value > 0 && value < 255).length;
    });
    return Math.max(...widths);
  };
  const large = await widest(224), small = await widest(56);
  assert(large >= 8 && large <= 12, `${large}`);
  assert(small >= 2 && small <= 4, `${small}`);
});

Deno.test("augment() of a photo for a grey network keeps to one channel with everything on", async () => {
  const input: InputSpec = { ...INPUT, channels: 1, mean: [0.5], std: [0.5] };
  const options = { ...NONE, hue: 0.5, grey: 0.5, blur: 1, cutout: 0.3 };
  assert.equal((await augment(photo, input, options, randomStream(1))).length, 24 * 24);
});
