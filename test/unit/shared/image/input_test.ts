import assert from "node:assert/strict";
import type { InputSpec } from "../../../../shared/card.ts";
import { encodePng, normalize, toInputPixels } from "../../../../shared/image/mod.ts";
import { cornersOf, encodeJpeg, quarters, withOrientation } from "../../../support/images.ts";

const INPUT: InputSpec = {
  height: 16,
  width: 16,
  channels: 3,
  fit: "cover",
  mean: [0.5, 0.5, 0.5],
  std: [0.25, 0.25, 0.25],
};

Deno.test("toInputPixels() reads back what encodePng() wrote, bit for bit", async () => {
  for (const channels of [1, 3] as const) {
    const pixels = crypto.getRandomValues(new Uint8Array(16 * 16 * channels));
    const png = await encodePng(pixels, 16, 16, channels);
    const fill = new Array(channels).fill(0.5);
    assert.deepEqual(await toInputPixels(png, { ...INPUT, channels, mean: fill, std: fill }), pixels);
  }
});

Deno.test("toInputPixels() cuts, pads or stretches a wide photo", async () => {
  const wide = await encodeJpeg(quarters(96, 32), 96, 32);
  const corners = async (fit: InputSpec["fit"]) => {
    return cornersOf({ width: 16, height: 16, data: await toInputPixels(wide, { ...INPUT, fit }) }, 3);
  };
  assert.deepEqual(await corners("cover"), ["red", "green", "blue", "yellow"]);
  assert.deepEqual(await corners("stretch"), ["red", "green", "blue", "yellow"]);
  const padded = await toInputPixels(wide, { ...INPUT, fit: "contain" });
  assert.deepEqual([...padded.slice(0, 3)], [255, 255, 255], "white above");
  assert.deepEqual([...padded.slice(-3)], [255, 255, 255], "white below");
  assert(padded[3 * (8 * 16 + 2)] < 250, "the photo in between");
});

Deno.test("a 12-megapixel photo with EXIF rotation becomes an upright input", async () => {
  const photo = withOrientation(await encodeJpeg(quarters(4000, 3000), 4000, 3000, 50), 6);
  const pixels = await toInputPixels(photo, INPUT);
  assert.deepEqual(cornersOf({ width: 16, height: 16, data: pixels }, 3), ["blue", "red", "yellow", "green"]);
});

Deno.test("normalize() takes mean and standard deviation of each channel", () => {
  const out = normalize(Uint8Array.from([0, 127.5, 255, 255, 0, 51]), {
    channels: 3,
    mean: [0.5, 0, 0.2],
    std: [0.5, 1, 0.1],
  });
  const expected = [-1, 127 / 255, 8, 1, 0, 0];
  out.forEach((value, i) => assert(Math.abs(value - expected[i]) < 1e-5, `${i}: ${value}`));
});

Deno.test("normalize() writes into the memory that it is given, and nowhere else", () => {
  const memory = new Float32Array(12), pixels = Uint8Array.of(1, 2, 3, 4, 5, 6);
  normalize(pixels, INPUT, memory.subarray(3, 9));
  assert.deepEqual(memory.subarray(3, 9), normalize(pixels, INPUT));
  assert.deepEqual([...memory.subarray(0, 3), ...memory.subarray(9)], Array(6).fill(0));
});
