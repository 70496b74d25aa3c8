import { deflateSync } from "node:zlib";
import { crc32 } from "../../shared/crc32.ts";
import { encodeJpeg } from "../../shared/image/mod.ts";
import { detailedPicture, encodeWebp } from "../bench/decode/pictures.ts";

const MEGABYTE = 1 << 20;

/** Files that cost a decoder without limits far more memory or time than their bytes are worth, by what they do. */
export async function bombs(): Promise<Record<string, Uint8Array<ArrayBuffer>>> {
  const picture = await detailedPicture(32, 24, 1);
  const jpeg = await encodeJpeg(picture, 85, false), progressive = await encodeJpeg(picture, 85);
  const lossless = await encodeWebp(picture, { lossless: true }),
    lossy = await encodeWebp(picture, { lossless: false });
  const zeros = (megabytes: number) => deflateSync(new Uint8Array(megabytes * MEGABYTE));
  const line = deflateSync(new Uint8Array(4));
  return {
    "JPEG of 65,500 x 65,500 pixels": withJpegSize(jpeg, 65_500, 65_500),
    "JPEG of 8,193 x 1 pixels": withJpegSize(jpeg, 8_193, 1),
    "progressive JPEG of 65,500 x 65,500 pixels": withJpegSize(progressive, 65_500, 65_500),
    "progressive JPEG of 4,000 x 4,000 pixels without their data": withJpegSize(progressive, 4_000, 4_000),
    "JPEG in 10,000 scans": withScans(progressive, 10_000),
    "JPEG of 4,000 x 4,000 pixels in 60 scans": withScans(withJpegSize(progressive, 4_000, 4_000), 50),
    "JPEG with two sizes": joined(jpeg.subarray(0, 2), frameOf(withJpegSize(jpeg, 8_000, 2_000)), jpeg.subarray(2)),
    "JPEG of 8 MiB of fill bytes": joined(
      jpeg.subarray(0, 2),
      new Uint8Array(8 * MEGABYTE - 4096).fill(0xff),
      jpeg.subarray(2),
    ),
    "PNG of 2,147,483,647 x 2,147,483,647 pixels": png(2 ** 31 - 1, 2 ** 31 - 1, line),
    "PNG of 4,000 x 4,000 pixels without their data": png(4_000, 4_000, line),
    "PNG of one pixel whose data inflates to 1 GB": png(1, 1, zeros(1024)),
    "PNG of 1,024 x 768 pixels whose data inflates to 1 GB": png(1_024, 768, zeros(1024)),
    "PNG with a colour profile of 512 MB": png(1, 1, line, chunk("iCCP", joined(text("p\0\0"), zeros(512)))),
    "PNG with a text of 512 MB": png(1, 1, line, chunk("zTXt", joined(text("k\0\0"), zeros(512)))),
    "PNG with an international text of 512 MB": png(
      1,
      1,
      line,
      chunk("iTXt", joined(text("k\0\x01\0\0\0"), zeros(512))),
    ),
    "PNG of 500,000 empty chunks": png(
      1,
      1,
      line,
      repeated(chunk("teSt", new Uint8Array(0)), 500_000),
    ),
    "PNG of 100,000 frames": png(1, 1, line, chunk("acTL", Uint8Array.of(0, 1, 134, 160, 0, 0, 0, 0))),
    "WebP of 16,384 x 16,384 pixels": withLosslessSize(lossless, 16_384, 16_384),
    "lossy WebP of 16,383 x 16,383 pixels": withLossySize(lossy, 16_383, 16_383),
    "WebP of 4,000 x 4,000 pixels without their data": withLosslessSize(lossless, 4_000, 4_000),
    "WebP of a small canvas and a large image": onCanvas(withLosslessSize(lossless, 16_384, 16_384), 32, 24),
    "WebP of a large canvas and a small image": onCanvas(lossless, 4_000, 4_000),
    "WebP that tells of 4 GB": withRiffLength(lossless, 0xfffffff0),
  };
}

function withJpegSize(jpeg: Uint8Array, width: number, height: number): Uint8Array<ArrayBuffer> {
  const copy = Uint8Array.from(jpeg), view = new DataView(copy.buffer), frame = frameAt(copy);
  view.setUint16(frame + 5, height);
  view.setUint16(frame + 7, width);
  return copy;
}

/** Where the start of a frame is: SOF0 or SOF2. */
function frameAt(jpeg: Uint8Array): number {
  return jpeg.findIndex((byte, i) => byte === 0xff && (jpeg[i + 1] === 0xc0 || jpeg[i + 1] === 0xc2));
}

function frameOf(jpeg: Uint8Array): Uint8Array {
  const at = frameAt(jpeg);
  return jpeg.subarray(at, at + 2 + jpeg[at + 2] * 256 + jpeg[at + 3]);
}

/** With its last scan again and again. */
function withScans(jpeg: Uint8Array, times: number): Uint8Array<ArrayBuffer> {
  const last = jpeg.findLastIndex((byte, i) => byte === 0xff && jpeg[i + 1] === 0xda);
  const scan = jpeg.subarray(last, jpeg.length - 2);
  return joined(jpeg.subarray(0, -2), repeated(scan, times), jpeg.subarray(-2));
}

/** 8-bit RGB. */
function png(width: number, height: number, data: Uint8Array, ...more: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(13), view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, 2], 8);
  const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10);
  return joined(signature, chunk("IHDR", header), ...more, chunk("IDAT", data), chunk("IEND", new Uint8Array(0)));
}

function chunk(kind: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length), view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(text(kind), 4);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

function withLosslessSize(webp: Uint8Array, width: number, height: number): Uint8Array<ArrayBuffer> {
  const copy = Uint8Array.from(webp), view = new DataView(copy.buffer);
  view.setUint32(21, (width - 1 | height - 1 << 14 | view.getUint32(21, true) & 0xf0000000) >>> 0, true);
  return copy;
}

function withLossySize(webp: Uint8Array, width: number, height: number): Uint8Array<ArrayBuffer> {
  const copy = Uint8Array.from(webp), view = new DataView(copy.buffer);
  view.setUint16(26, width, true);
  view.setUint16(28, height, true);
  return copy;
}

/** As the extended format has it: a canvas before the image. */
function onCanvas(webp: Uint8Array, width: number, height: number): Uint8Array<ArrayBuffer> {
  const uint24 = (value: number) => [value & 255, value >> 8 & 255, value >> 16];
  const canvas = Uint8Array.of(...text("VP8X"), 10, 0, 0, 0, 0, 0, 0, 0, ...uint24(width - 1), ...uint24(height - 1));
  const whole = joined(webp.subarray(0, 12), canvas, webp.subarray(12));
  return withRiffLength(whole, whole.length - 8);
}

function withRiffLength(webp: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const copy = Uint8Array.from(webp);
  new DataView(copy.buffer).setUint32(4, length, true);
  return copy;
}

function joined(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

function repeated(part: Uint8Array, times: number): Uint8Array {
  const whole = new Uint8Array(part.length * times);
  for (let i = 0; i < times; i++) whole.set(part, i * part.length);
  return whole;
}

function text(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
