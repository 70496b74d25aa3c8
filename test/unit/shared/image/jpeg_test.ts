import assert from "node:assert/strict";
import initEncoder from "@jsquash/jpeg/codec/enc/mozjpeg_enc.js";
import { defaultOptions } from "@jsquash/jpeg/meta.js";
import { decodeWithMozJpeg } from "../../../../scripts/bench/decode/mozjpeg.ts";
import { detailedPicture } from "../../../../scripts/bench/decode/pictures.ts";
import type { InputSpec } from "../../../../shared/card.ts";
import { ImageError } from "../../../../shared/errors.ts";
import { emscriptenOptions } from "../../../../shared/image/codecs.ts";
import { admit, decodeFor } from "../../../../shared/image/decode.ts";
import {
  decode,
  decodeShrunk,
  encodeJpeg,
  encodePng,
  fitPixels,
  type Image,
  shrink,
  toInputPixels,
} from "../../../../shared/image/mod.ts";
import { wasmModule } from "../../../../shared/wasm_modules.ts";
import { withOrientation } from "../../../support/images.ts";

const INPUT: InputSpec = {
  ...{ height: 40, width: 32, channels: 3, fit: "cover" },
  ...{ mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
};

/** Encodes in one of the ways that JPEGs are written. */
async function encodeAs({ data, width, height }: Image, way: Partial<typeof defaultOptions>): Promise<Uint8Array> {
  const encoder = await initEncoder(emscriptenOptions(await wasmModule("jpegEncoder")));
  const all = { ...defaultOptions, quality: 85, chroma_quality: 85, auto_subsample: false, ...way };
  return new Uint8Array(encoder.encode(data as unknown as BufferSource, width, height, all));
}

const GREY = 1, COLOUR = 3;
const WAYS: Partial<typeof defaultOptions>[] = [GREY, COLOUR].flatMap((color_space) =>
  [1, 2].flatMap((chroma_subsample) =>
    [false, true].map((progressive) => ({ color_space, chroma_subsample, progressive, baseline: !progressive }))
  )
);

function difference(a: ArrayLike<number>, b: ArrayLike<number>): { worst: number; mean: number } {
  assert.equal(a.length, b.length);
  const off = Array.from(a, (value, i) => Math.abs(value - b[i]));
  return { worst: Math.max(...off), mean: off.reduce((sum, value) => sum + value, 0) / off.length };
}

/** What `resizeDecoded()` promises of an image that was decoded smaller. */
function assertWithinTolerance(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  const { worst, mean } = difference(actual, expected);
  assert(worst <= 16 && mean <= 1.25, `${what}: off by ${worst}, on average by ${mean}`);
  assert(worst > 0, `${what}: it was not decoded smaller`);
}

Deno.test("decode() of a JPEG equals MozJPEG's decoder to the bit, progressive or not, grey or coloured, of any size", async () => {
  for (const [width, height] of [[1, 1], [7, 5], [16, 17], [133, 91]]) {
    const picture = await detailedPicture(width, height, width);
    for (const way of WAYS) {
      const jpeg = await encodeAs(picture, way);
      assert.deepEqual((await decode(jpeg)).data, (await decodeWithMozJpeg(jpeg)).data, JSON.stringify(way));
    }
  }
});

Deno.test("a JPEG is decoded at the smallest scale that keeps two pixels for every one that it is scaled to", async () => {
  const jpeg = await encodeJpeg(await detailedPicture(101, 67, 1), 85);
  const header = admit(jpeg);
  for (const [reduction, divisor] of [[0.5, 1], [3.99, 1], [4, 2], [7.99, 2], [8, 4], [15.99, 4], [16, 8], [99, 8]]) {
    const decoded = await decodeFor(jpeg, header, reduction);
    assert.equal(decoded.divisor, divisor);
    assert.deepEqual(
      [decoded.image.width, decoded.image.height],
      [Math.ceil(101 / divisor), Math.ceil(67 / divisor)],
    );
  }
  const png = await encodePng(new Uint8Array(3 * 64 * 64), 64, 64, 3);
  assert.equal((await decodeFor(png, admit(png), 99)).divisor, 1);
});

Deno.test("the input from a JPEG that is decoded smaller is that from the whole one within a tolerance, however it is fitted and stored", async () => {
  for (const times of [4, 8, 16]) {
    const jpeg = await encodeJpeg(await detailedPicture(32 * times + 13, 40 * times + 5, times), 85);
    for (const fit of ["cover", "contain", "stretch"] as const) {
      for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8]) {
        // Turned, the input is turned with it, so that the reduction stays.
        const turned = orientation < 5 ? {} : { height: INPUT.width, width: INPUT.height };
        const input: InputSpec = { ...INPUT, ...turned, fit }, stored = withOrientation(jpeg, orientation);
        const whole = await fitPixels(await decode(stored), input);
        assertWithinTolerance(await toInputPixels(stored, input), whole, `1/${times} ${fit} ${orientation}`);
      }
    }
  }
});

Deno.test("the input from a JPEG of any kind that is decoded smaller is within the tolerance", async () => {
  const picture = await detailedPicture(331, 407, 3);
  for (const way of WAYS) {
    const jpeg = await encodeAs(picture, way);
    const whole = await fitPixels(await decode(jpeg), INPUT);
    assertWithinTolerance(await toInputPixels(jpeg, INPUT), whole, JSON.stringify(way));
  }
});

Deno.test("a photo that is stored turned gives what it gives turned before, within a grey level", async () => {
  const jpeg = await encodeJpeg(await detailedPicture(61, 47, 5), 85);
  for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8]) {
    const stored = withOrientation(jpeg, orientation);
    const { worst } = difference(await toInputPixels(stored, INPUT), await fitPixels(await decode(stored), INPUT));
    assert(worst <= 1, `orientation ${orientation}: off by ${worst}`);
  }
});

Deno.test("decodeShrunk() is shrink() of the whole image within the tolerance, and the image itself where that is small", async () => {
  const jpeg = withOrientation(await encodeJpeg(await detailedPicture(331, 257, 6), 85), 6);
  const whole = await decode(jpeg), shrunk = await shrink(whole, 50), read = await decodeShrunk(jpeg, 50);
  assert.deepEqual([read.width, read.height], [shrunk.width, shrunk.height]);
  assertWithinTolerance(read.data, shrunk.data, "short side 50");
  assert.deepEqual(await decodeShrunk(jpeg, 257), whole);
});

Deno.test("a JPEG with any damaged byte that is decoded smaller gives an image or an ImageError", async () => {
  const picture = await detailedPicture(72, 80, 8);
  const small: InputSpec = { ...INPUT, height: 10, width: 9 };
  let refused = 0;
  for (const progressive of [false, true]) {
    const jpeg = await encodeAs(picture, { progressive, baseline: !progressive, color_space: COLOUR });
    for (let at = 0; at < jpeg.length; at += 7) {
      const damaged = jpeg.slice();
      damaged[at] ^= 0x55;
      await toInputPixels(damaged, small).catch((error) => {
        assert(error instanceof ImageError, String(error));
        refused++;
      });
    }
  }
  assert(refused > 0);
});
