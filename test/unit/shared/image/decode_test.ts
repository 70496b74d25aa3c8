import assert from "node:assert/strict";
import { ImageError, type ImageFault } from "../../../../shared/errors.ts";
import { decode, encodePng, readHeader } from "../../../../shared/image/mod.ts";
import { cornersOf, encodeJpeg, encodeWebp, quarters, withOrientation } from "../../../support/images.ts";

const UPRIGHT = ["red", "green", "blue", "yellow"];
const jpeg = await encodeJpeg(quarters(48, 32), 48, 32);
const webp = await encodeWebp(quarters(48, 32), 48, 32);
const png = await encodePng(rgbOf(quarters(48, 32)), 32, 48, 3);

function rgbOf(rgba: Uint8ClampedArray): Uint8Array {
  return Uint8Array.from({ length: rgba.length / 4 * 3 }, (_, i) => rgba[4 * Math.floor(i / 3) + i % 3]);
}

async function assertRefused(bytes: Uint8Array, fault: ImageFault) {
  await assert.rejects(() => decode(bytes), (error) => {
    assert(error instanceof ImageError, String(error));
    assert.equal(error.fault, fault);
    assert.match(error.message, /^[A-Z].*\.$/s);
    return true;
  });
}

for (const [name, bytes] of Object.entries({ jpeg, webp, png })) {
  Deno.test(`decode() reads a ${name} by its bytes`, async () => {
    const image = await decode(bytes);
    assert.deepEqual([image.width, image.height], [48, 32]);
    assert.deepEqual(cornersOf(image), UPRIGHT);
    assert.equal(readHeader(bytes).format, name);
  });

  Deno.test(`decode() refuses a ${name} that is cut off anywhere, and reads the next good one`, async () => {
    for (const share of [0.1, 0.5, 0.9, 0.99]) {
      const cut = bytes.slice(0, Math.floor(bytes.length * share));
      await assert.rejects(() => decode(cut), ImageError, `${share} of the file`);
    }
    assert.deepEqual(cornersOf(await decode(bytes)), UPRIGHT);
  });
}

Deno.test("decode() turns a photo upright by its EXIF orientation", async () => {
  // What a camera stores for a scene whose corners are UPRIGHT, by EXIF's eight orientations.
  const expected: Record<number, string[]> = {
    1: ["red", "green", "blue", "yellow"],
    2: ["green", "red", "yellow", "blue"],
    3: ["yellow", "blue", "green", "red"],
    4: ["blue", "yellow", "red", "green"],
    5: ["red", "blue", "green", "yellow"],
    6: ["blue", "red", "yellow", "green"],
    7: ["yellow", "green", "blue", "red"],
    8: ["green", "yellow", "red", "blue"],
  };
  for (const [orientation, corners] of Object.entries(expected)) {
    const image = await decode(withOrientation(jpeg, Number(orientation)));
    assert.deepEqual([image.width, image.height], Number(orientation) < 5 ? [48, 32] : [32, 48]);
    assert.deepEqual(cornersOf(image), corners, `orientation ${orientation}`);
  }
});

Deno.test("decode() lays transparent pixels over white", async () => {
  const rgba = new Uint8ClampedArray(16 * 16 * 4);
  for (let i = 0; i < 256; i++) rgba.set([0, 0, 0, i < 128 ? 0 : 128], 4 * i);
  const { data } = await decode(await encodeWebp(rgba, 16, 16));
  assert.deepEqual([...data.slice(0, 4)], [255, 255, 255, 255]);
  assert.deepEqual([...data.slice(-4)], [127, 127, 127, 255]);
});

Deno.test("decode() refuses what is no image", async () => {
  await assertRefused(new Uint8Array(0), "unsupported");
  await assertRefused(new TextEncoder().encode("not a photo, whatever its name says.jpg"), "unsupported");
  await assertRefused(new TextEncoder().encode("GIF89a............................."), "unsupported");
});

Deno.test("decode() refuses dimensions over the limit before decoding", async () => {
  const large = jpeg.slice();
  const frame = large.findIndex((byte, i) => byte === 0xff && large[i + 1] === 0xc0);
  new DataView(large.buffer).setUint16(frame + 5, 9000);
  await assertRefused(large, "too-large");
  new DataView(large.buffer).setUint16(frame + 5, 5000);
  new DataView(large.buffer).setUint16(frame + 7, 5000);
  await assertRefused(large, "too-large");
  new DataView(large.buffer).setUint16(frame + 5, 0);
  await assertRefused(large, "undecodable");
});

Deno.test("decode() gives an image or an ImageError for any damaged byte", async () => {
  let refused = 0;
  for (const bytes of [jpeg, webp, png]) {
    for (let at = 0; at < bytes.length; at += Math.ceil(bytes.length / 60)) {
      const damaged = bytes.slice();
      damaged[at] ^= 0x55;
      await decode(damaged).catch((error) => {
        assert(error instanceof ImageError, String(error));
        refused++;
      });
    }
  }
  assert(refused > 0);
  assert.deepEqual(cornersOf(await decode(jpeg)), UPRIGHT);
});
