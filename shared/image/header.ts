import { crc32 } from "../crc32.ts";
import { ImageError } from "../errors.ts";
import { exifOrientation, type Orientation } from "./exif.ts";

/** The formats that we decode. */
export type ImageFormat = "jpeg" | "png" | "webp";

/** What an image says of itself before any decoder runs. */
export interface ImageHeader {
  format: ImageFormat;
  /** Pixels as stored, before the EXIF orientation is applied. */
  width: number;
  height: number;
  orientation: Orientation;
}

/**
 * Tells the format by its magic bytes; neither file name nor content type is asked.
 *
 * @returns undefined if the bytes begin like none of our formats
 */
export function sniff(bytes: Uint8Array): ImageFormat | undefined {
  if (startsWith(bytes, 0, [0xff, 0xd8, 0xff])) return "jpeg";
  if (startsWith(bytes, 0, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])) return "png";
  if (startsWith(bytes, 0, ascii("RIFF")) && startsWith(bytes, 8, ascii("WEBP"))) return "webp";
  return undefined;
}

/**
 * Reads format, size and orientation from the bytes of an image file, and refuses a file that ends too early.
 *
 * @throws {ImageError} `unsupported` if it is no JPEG, PNG or WebP, or of a kind of these that is not decoded (CMYK or
 * arithmetic-coded JPEG, animated WebP); `undecodable` if its header is damaged or it is cut off
 */
export function readHeader(bytes: Uint8Array): ImageHeader {
  if (bytes.length === 0) {
    throw new ImageError("unsupported", "The image is empty; send the bytes of a JPEG, PNG or WebP file.");
  }
  const format = sniff(bytes);
  if (!format) {
    throw new ImageError(
      "unsupported",
      "The bytes are not those of a JPEG, PNG or WebP image; convert it to one of these.",
    );
  }
  try {
    return { format, ...READERS[format](new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)) };
  } catch (error) {
    if (error instanceof RangeError) throw truncated(format);
    throw error;
  }
}

type Facts = Omit<ImageHeader, "format">;

const READERS: Record<ImageFormat, (view: DataView) => Facts> = { jpeg: readJpeg, png: readPng, webp: readWebp };

function readJpeg(view: DataView): Facts {
  let size: { width: number; height: number } | undefined;
  let orientation: Orientation = 1;
  let offset = 2;
  for (;;) {
    if (view.getUint8(offset) !== 0xff) throw damaged("jpeg");
    const marker = view.getUint8(offset + 1);
    if (marker === 0xff) {
      offset += 1;
      continue;
    }
    const length = view.getUint16(offset + 2);
    if (length < 2) throw damaged("jpeg");
    if (isStartOfFrame(marker)) {
      if (marker > LAST_HUFFMAN_FRAME) throw unsupported(ARITHMETIC);
      if (view.getUint8(offset + 9) === CMYK_COMPONENTS) throw unsupported(CMYK);
      size = { height: view.getUint16(offset + 5), width: view.getUint16(offset + 7) };
    }
    if (marker === 0xe1 && tag(view, offset + 4) === "Exif") {
      orientation = exifOrientation(slice(view, offset + 10, length - 8));
    }
    offset += 2 + length;
    if (marker === START_OF_SCAN) break;
  }
  if (!size) throw damaged("jpeg");
  const scans = scansOf(view, offset);
  if (scans === null) throw truncated("jpeg");
  if (scans > MAX_SCANS) throw new ImageError("undecodable", SCANS);
  return { ...size, orientation };
}

/** Programs write about ten of a progressive JPEG, and each costs a decoder a way through the whole image. */
const MAX_SCANS = 64;
const SCANS = `The JPEG image comes in more than ${MAX_SCANS} scans; save it again as an ordinary JPEG.`;
const START_OF_SCAN = 0xda;
const END_OF_IMAGE = 0xd9;
/** SOF7: the frames after it are those of arithmetic coding (ITU-T T.81, table B.1). */
const LAST_HUFFMAN_FRAME = 0xc7;
/** CMYK, or YCCK, which is made of it. */
const CMYK_COMPONENTS = 4;

const ARITHMETIC = "The JPEG image is arithmetic-coded, which hardly any program reads; save it as an ordinary JPEG.";
const CMYK = "The JPEG image has the four colours of print (CMYK); convert it to RGB.";
const ANIMATED = "The WebP image is animated; send one of its frames as a still image.";

/** SOF0 to SOF15 without the Huffman table, JPEG extension and arithmetic table markers that lie between them. */
function isStartOfFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

/**
 * Decoders fill what a truncated file lacks with grey: such a photo must not be matched, so its end is looked for. It is a
 * marker of its own after the data of a scan, not two bytes within another segment.
 *
 * @param from where the data of the first scan begins
 * @returns how many scans there are before the end, null if there is no end
 */
function scansOf(view: DataView, from: number): number | null {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  let scans = 1;
  for (let at = bytes.indexOf(0xff, from); at >= 0 && at + 1 < bytes.length;) {
    const marker = bytes[at + 1];
    if (marker === END_OF_IMAGE) return scans;
    if (marker === START_OF_SCAN) scans++;
    const next = marker === 0xff ? at + 1 : standsAlone(marker) ? at + 2 : at + 2 + view.getUint16(at + 2);
    at = bytes.indexOf(0xff, next);
  }
  return null;
}

/** A stuffed zero, TEM, or a restart: no length follows, the data of the scan goes on. */
function standsAlone(marker: number): boolean {
  return marker <= 0x01 || marker >= 0xd0 && marker <= 0xd7;
}

function readPng(view: DataView): Facts {
  if (tag(view, 12) !== "IHDR") throw damaged("png");
  const size = { width: view.getUint32(16), height: view.getUint32(20) };
  let orientation: Orientation = 1;
  for (let offset = 8;;) {
    const length = view.getUint32(offset);
    const kind = tag(view, offset + 4);
    if (isCritical(kind) && checksum(view, offset + 4, 4 + length) !== view.getUint32(offset + 8 + length)) {
      throw new ImageError("undecodable", "The PNG image has damaged data; save it again and send that.");
    }
    if (kind === "eXIf") orientation = exifOrientation(slice(view, offset + 8, length));
    offset += 12 + length;
    if (kind === "IEND") return { ...size, orientation };
  }
}

/** A chunk without which there is no image has a capital first (PNG, section 5.4). */
function isCritical(kind: string): boolean {
  return /^[A-Z]/.test(kind);
}

function checksum(view: DataView, offset: number, length: number): number {
  return crc32(new Uint8Array(view.buffer, view.byteOffset + offset, Math.min(length, view.byteLength - offset)));
}

function readWebp(view: DataView): Facts {
  if (view.getUint32(4, true) + 8 > view.byteLength) throw truncated("webp");
  const kind = tag(view, 12);
  if (kind === "VP8 ") {
    return { ...sized(view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff), orientation: 1 };
  }
  if (kind === "VP8L") {
    const bits = view.getUint32(21, true);
    return { ...sized((bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1), orientation: 1 };
  }
  if (kind !== "VP8X") throw damaged("webp");
  if (view.getUint8(20) & ANIMATION_FLAG) throw unsupported(ANIMATED);
  const size = sized(1 + uint24(view, 24), 1 + uint24(view, 27));
  for (let offset = 30; offset + 8 <= view.byteLength;) {
    const length = view.getUint32(offset + 4, true);
    if (tag(view, offset) === "EXIF") return { ...size, orientation: exifOrientation(slice(view, offset + 8, length)) };
    offset += 8 + length + (length & 1);
  }
  return { ...size, orientation: 1 };
}

/** Of the flags of a VP8X chunk (RFC 9649, section 2.7). */
const ANIMATION_FLAG = 0x02;

function sized(width: number, height: number): { width: number; height: number } {
  return { width, height };
}

function uint24(view: DataView, offset: number): number {
  return view.getUint16(offset, true) | view.getUint8(offset + 2) << 16;
}

function tag(view: DataView, offset: number): string {
  return String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(offset + i)));
}

function slice(view: DataView, offset: number, length: number): DataView {
  return new DataView(view.buffer, view.byteOffset + offset, Math.min(length, view.byteLength - offset));
}

function ascii(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}

function startsWith(bytes: Uint8Array, offset: number, magic: number[]): boolean {
  return magic.every((byte, i) => bytes[offset + i] === byte);
}

function unsupported(message: string): ImageError {
  return new ImageError("unsupported", message);
}

function truncated(format: ImageFormat): ImageError {
  return new ImageError("undecodable", `The ${NAMES[format]} image is cut off before its end; send the whole file.`);
}

function damaged(format: ImageFormat): ImageError {
  return new ImageError("undecodable", `The ${NAMES[format]} image has a damaged header; save it again and send that.`);
}

const NAMES: Record<ImageFormat, string> = { jpeg: "JPEG", png: "PNG", webp: "WebP" };
