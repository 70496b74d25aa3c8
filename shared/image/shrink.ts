import { admit, decode, decodeFor } from "./decode.ts";
import { type Image, uprightSize } from "./image.ts";
import { resize, resizeDecoded } from "./resize.ts";

/** Scales an image down, shape kept, so that its shorter side has at most so many pixels. */
export async function shrink(image: Image, shortSide: number): Promise<Image> {
  const size = shrunkSize(image, shortSide);
  return size === undefined ? image : toRgba(await resize(image, whole(image), size.height, size.width), size);
}

/**
 * Decodes a file and scales it down as {@link shrink} does, without decoding more of it than is needed for that.
 *
 * @throws {ImageError} `unsupported`, `too-large` or `undecodable`
 */
export async function decodeShrunk(bytes: Uint8Array, shortSide: number): Promise<Image> {
  const header = admit(bytes);
  const full = uprightSize(header), size = shrunkSize(full, shortSide);
  if (size === undefined) return await decode(bytes);
  const reduction = Math.min(full.width / size.width, full.height / size.height);
  const decoded = await decodeFor(bytes, header, reduction);
  return toRgba(await resizeDecoded(decoded, whole(full), size.height, size.width), size);
}

interface Size {
  width: number;
  height: number;
}

/** The size that is at most so large, or undefined if the image is no larger. */
function shrunkSize({ width, height }: Size, shortSide: number): Size | undefined {
  const scale = shortSide / Math.min(width, height);
  return scale < 1 ? { width: Math.round(width * scale), height: Math.round(height * scale) } : undefined;
}

function whole({ width, height }: Size) {
  return { x: 0, y: 0, width, height };
}

function toRgba(rgb: Uint8Array, { width, height }: Size): Image {
  const data = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) data[4 * i + c] = rgb[3 * i + c];
  }
  return { width, height, data };
}
