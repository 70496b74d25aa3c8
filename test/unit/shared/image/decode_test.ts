import assert from "node:assert/strict";
import { crc32, deflateSync } from "node:zlib";
import { ImageError, type ImageFault } from "../../../../shared/errors.ts";
import { decode, encodeJpeg as encodeProgressive, encodePng, readHeader } from "../../../../shared/image/mod.ts";
import { randomStream } from "../../../../trainer/random.ts";
import { cornersOf, encodeJpeg, encodeWebp, quarters, withOrientation } from "../../../support/images.ts";

const UPRIGHT = ["red", "green", "blue", "yellow"];
const jpeg = await encodeJpeg(quarters(48, 32), 48, 32);
const webp = await encodeWebp(quarters(48, 32), 48, 32);
const png = await encodePng(rgbOf(quarters(48, 32)), 32, 48, 3);

function rgbOf(rgba: Uint8ClampedArray): Uint8Array {
  return Uint8Array.from({ length: rgba.length / 4 * 3 }, (_, i) => rgba[4 * Math.floor(i / 3) + i % 3]);
}

/** A PNG of 2 x 1 pixels: the bytes of its row, and chunks that come before them. */
function pngOf(depth: number, colorType: number, row: number[], ...chunks: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const parts = [
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10),
    chunk("IHDR", Uint8Array.of(0, 0, 0, 2, 0, 0, 0, 1, depth, colorType, 0, 0, 0)),
    ...chunks,
    chunk("IDAT", deflateSync(Uint8Array.of(0, ...row))),
    chunk("IEND", new Uint8Array(0)),
  ];
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function chunk(kind: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length), view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(kind), 4);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

async function assertRefused(bytes: Uint8Array, fault: ImageFault, message = /^[A-Z].*\.$/s) {
  await assert.rejects(() => decode(bytes), (error) => {
    assert(error instanceof ImageError, String(error));
    assert.equal(error.fault, fault);
    assert.match(error.message, message);
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

Deno.test("decode() reads PNG of every colour type and depth", async () => {
  const palette = chunk("PLTE", Uint8Array.of(200, 100, 50, 10, 20, 30));
  const cases: [name: string, png: Uint8Array, pixels: number[]][] = [
    ["gray", pngOf(8, 0, [200, 100]), [200, 200, 200, 100, 100, 100]],
    ["gray of 1 bit", pngOf(1, 0, [0b01000000]), [0, 0, 0, 255, 255, 255]],
    ["gray of 4 bits", pngOf(4, 0, [0x5a]), [85, 85, 85, 170, 170, 170]],
    ["gray of 16 bits", pngOf(16, 0, [200, 1, 100, 2]), [200, 200, 200, 100, 100, 100]],
    ["RGB of 16 bits", pngOf(16, 2, [200, 1, 100, 2, 50, 3, 10, 4, 20, 5, 30, 6]), [200, 100, 50, 10, 20, 30]],
    ["a palette", pngOf(8, 3, [0, 1], palette), [200, 100, 50, 10, 20, 30]],
    ["a palette of 1 bit", pngOf(1, 3, [0b01000000], palette), [200, 100, 50, 10, 20, 30]],
    [
      "a palette with a transparent colour",
      pngOf(8, 3, [0, 1], palette, chunk("tRNS", Uint8Array.of(255, 0))),
      [200, 100, 50, 255, 255, 255],
    ],
    ["gray and alpha", pngOf(8, 4, [200, 255, 100, 128]), [200, 200, 200, 177, 177, 177]],
    ["gray and alpha of 16 bits", pngOf(16, 4, [200, 1, 255, 255, 100, 2, 0, 0]), [200, 200, 200, 255, 255, 255]],
    ["RGB and alpha of 16 bits", pngOf(16, 6, [9, 1, 8, 1, 7, 1, 255, 255, 9, 1, 8, 1, 7, 1, 0, 0]), [
      9,
      8,
      7,
      255,
      255,
      255,
    ]],
  ];
  for (const [name, png, pixels] of cases) {
    assert.deepEqual([...(await decode(png)).data].filter((_, i) => i % 4 < 3), pixels, name);
  }
});

Deno.test("decode() refuses a PNG whose critical chunks are not what their checksums say, whatever the others are", async () => {
  const note = chunk("tEXt", new TextEncoder().encode("key\0note"));
  const png = pngOf(8, 3, [0, 1], chunk("PLTE", Uint8Array.of(200, 100, 50, 10, 20, 30)), note);
  const text = new TextDecoder("latin1").decode(png);
  for (const kind of ["IHDR", "PLTE", "IDAT", "IEND"]) {
    const damaged = png.slice();
    damaged[text.indexOf(kind) + 4 + new DataView(png.buffer).getUint32(text.indexOf(kind) - 4)] ^= 1;
    await assertRefused(damaged, "undecodable");
  }
  const other = png.slice();
  other[text.indexOf("tEXt") + 8] ^= 1;
  assert.deepEqual((await decode(other)).data, (await decode(png)).data);
});

Deno.test("decode() refuses CMYK and arithmetic-coded JPEG and animated WebP by their headers, and says why", async () => {
  const frame = jpeg.findIndex((byte, i) => byte === 0xff && jpeg[i + 1] === 0xc0);
  const cmyk = jpeg.slice();
  cmyk[frame + 9] = 4;
  await assertRefused(cmyk, "unsupported", /CMYK.*convert it to RGB/);
  for (const marker of [0xc9, 0xca, 0xcf]) {
    const arithmetic = jpeg.slice();
    arithmetic[frame + 1] = marker;
    await assertRefused(arithmetic, "unsupported", /arithmetic-coded.*save it/);
  }
  const extended = Uint8Array.from([
    ...webp.subarray(0, 12),
    ...new TextEncoder().encode("VP8X"),
    ...[10, 0, 0, 0, 0x00, 0, 0, 0, 47, 0, 0, 31, 0, 0],
    ...webp.subarray(12),
  ]);
  new DataView(extended.buffer).setUint32(4, extended.length - 8, true);
  assert.deepEqual(cornersOf(await decode(extended)), UPRIGHT);
  extended[20] = 0x02;
  await assertRefused(extended, "unsupported", /animated.*frame/);
});

Deno.test("decode() takes no two bytes within another segment for the end of a JPEG", async () => {
  const note = [0xff, 0xfe, 0, 6, 0xff, 0xd9, 0xff, 0xd9];
  const noted = (end: number[]) => Uint8Array.from([...jpeg.subarray(0, -2), ...note, ...end]);
  await assertRefused(noted([]), "undecodable");
  assert.deepEqual(cornersOf(await decode(noted([0xff, 0xd9]))), UPRIGHT);
  assert.deepEqual(cornersOf(await decode(Uint8Array.from([...jpeg, 1, 2, 3, 0xff, 0xd8]))), UPRIGHT);
});

Deno.test("decode() of a PNG reads neither profiles nor texts nor frames of an animation, whole or damaged", async () => {
  const plain = await decode(pngOf(8, 2, [10, 20, 30, 40, 50, 60]));
  const text = (value: string) => new TextEncoder().encode(value);
  const others = [
    chunk("iCCP", text("profile\0\0no zlib stream")),
    chunk("zTXt", text("key\0\0no zlib stream")),
    chunk("gAMA", Uint8Array.of(0, 0, 0, 1)),
    chunk("acTL", Uint8Array.of(0, 0, 0, 9, 0, 0, 0, 0)),
    chunk("fcTL", new Uint8Array(26)),
    chunk("fdAT", Uint8Array.of(0, 0, 0, 1, 9)),
  ];
  for (const other of others) assert.deepEqual(await decode(pngOf(8, 2, [10, 20, 30, 40, 50, 60], other)), plain);
});

const LINES = { "a plain PNG": [0, 601 * (3 * 599 + 1)], "an interlaced PNG": [1, adam7Bytes(599, 601, 24)] };
for (const [name, [interlace, lines]] of Object.entries(LINES)) {
  Deno.test(`decode() takes ${name} with the data of its pixels, and none with a byte more`, async () => {
    const random = randomStream(1, "lines");
    // It compresses badly, and every byte may stand for a filter at the beginning of a line.
    const data = Uint8Array.from({ length: lines }, () => Math.floor(3 * random()));
    const of = (bytes: Uint8Array) => pngFile(599, 601, interlace, deflateSync(bytes));
    const image = await decode(of(data));
    assert.deepEqual([image.width, image.height], [599, 601]);
    await assertRefused(of(Uint8Array.from([...data, 0])), "undecodable");
    await assertRefused(of(Uint8Array.from([...data, ...new Uint8Array(2_000_000)])), "undecodable");
  });
}

/** How many bytes the scan lines of the seven passes of Adam7 have, pixel by pixel. */
function adam7Bytes(width: number, height: number, bits: number): number {
  const passOf = (x: number, y: number) => y % 2 ? 7 : x % 2 ? 6 : y % 4 ? 5 : x % 4 ? 4 : y % 8 ? 3 : x % 8 ? 2 : 1;
  const rows = new Map<string, number>();
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const row = `${passOf(x, y)} ${y}`;
      rows.set(row, (rows.get(row) ?? 0) + bits);
    }
  }
  return [...rows.values()].reduce((sum, length) => sum + Math.ceil(length / 8) + 1, 0);
}

/** 8-bit RGB. */
function pngFile(width: number, height: number, interlace: number, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(13), view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, 2, 0, 0, interlace], 8);
  const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10);
  const parts = [signature, chunk("IHDR", header), chunk("IDAT", data), chunk("IEND", new Uint8Array(0))];
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

Deno.test("decode() takes a JPEG in 64 scans and none in more", async () => {
  const progressive = await encodeProgressive({ data: quarters(48, 32), width: 48, height: 32 }, 90);
  const starts = [...progressive].flatMap((byte, i) => byte === 0xff && progressive[i + 1] === 0xda ? [i] : []);
  const last = starts.at(-1)!, scan = progressive.subarray(last, progressive.length - 2);
  const inScans = (scans: number) =>
    Uint8Array.from([
      ...progressive.subarray(0, -2),
      ...Array(scans - starts.length).fill([...scan]).flat(),
      ...progressive.subarray(-2),
    ]);
  assert.equal((await decode(inScans(64))).width, 48);
  await assertRefused(inScans(65), "undecodable", /more than 64 scans/);
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
