import type { InputSpec } from "../card.ts";
import { encodeRgbaPng } from "./codecs.ts";
import { decode } from "./decode.ts";
import type { Image } from "./image.ts";
import { type Region, resize } from "./resize.ts";

/**
 * From the bytes of an image file to the pixels that the network sees: decoded, upright, fitted and scaled.
 *
 * @returns `[height, width, channels]` 8-bit pixels
 * @throws {ImageError} if the bytes are no image that we decode
 */
export async function toInputPixels(bytes: Uint8Array, input: InputSpec): Promise<Uint8Array<ArrayBuffer>> {
  return fitPixels(await decode(bytes), input);
}

/**
 * Fits a decoded image to the network's size: `cover` cuts the longer side, `contain` adds white bars, `stretch` distorts.
 *
 * @returns `[height, width, channels]` 8-bit pixels
 */
export function fitPixels(
  image: Image,
  input: Pick<InputSpec, "height" | "width" | "channels" | "fit">,
): Uint8Array<ArrayBuffer> {
  const { height, width } = input;
  const rgb = input.fit === "contain"
    ? contain(image, height, width)
    : resize(image, regionOf(image, input), height, width);
  return toChannels(rgb, input.channels);
}

/**
 * 8-bit pixels to the network's input tensor: `(pixel / 255 - mean) / std`, channel by channel.
 *
 * @param pixels `[..., channels]` 8-bit
 * @returns the same shape, float32
 */
export function normalize(
  pixels: Uint8Array,
  input: Pick<InputSpec, "channels" | "mean" | "std">,
): Float32Array<ArrayBuffer> {
  const { channels } = input;
  const scale = input.std.map((std) => 1 / (255 * std));
  const shift = input.mean.map((mean, c) => mean / input.std[c]);
  const out = new Float32Array(pixels.length);
  for (let c = 0; c < channels; c++) {
    for (let i = c; i < pixels.length; i += channels) out[i] = pixels[i] * scale[c] - shift[c];
  }
  return out;
}

/** RGB to the network's channels: itself, or its luma (ITU-R BT.601). */
export function toChannels(rgb: Uint8Array<ArrayBuffer>, channels: 1 | 3): Uint8Array<ArrayBuffer> {
  if (channels === 3) return rgb;
  return Uint8Array.from({ length: rgb.length / 3 }, (_, i) => {
    return Math.round(0.299 * rgb[3 * i] + 0.587 * rgb[3 * i + 1] + 0.114 * rgb[3 * i + 2]);
  });
}

/**
 * Writes pixels as a PNG that `toInputPixels` reads back to the same pixels.
 *
 * @param pixels `[height, width, channels]` 8-bit
 */
export function encodePng(
  pixels: Uint8Array,
  height: number,
  width: number,
  channels: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const rgba = new Uint8Array(height * width * 4).fill(255);
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < 3; c++) rgba[4 * i + c] = pixels[i * channels + (channels === 1 ? 0 : c)];
  }
  return encodeRgbaPng(rgba, width, height);
}

function regionOf(image: Image, { height, width, fit }: Pick<InputSpec, "height" | "width" | "fit">): Region {
  if (fit === "stretch") return { x: 0, y: 0, width: image.width, height: image.height };
  const scale = Math.min(image.width / width, image.height / height);
  const region = { width: width * scale, height: height * scale };
  return { x: (image.width - region.width) / 2, y: (image.height - region.height) / 2, ...region };
}

function contain(image: Image, height: number, width: number): Uint8Array<ArrayBuffer> {
  const scale = Math.max(image.width / width, image.height / height);
  const inner = {
    width: Math.max(1, Math.round(image.width / scale)),
    height: Math.max(1, Math.round(image.height / scale)),
  };
  const scaled = resize(image, { x: 0, y: 0, width: image.width, height: image.height }, inner.height, inner.width);
  const out = new Uint8Array(height * width * 3).fill(255);
  const left = Math.floor((width - inner.width) / 2), top = Math.floor((height - inner.height) / 2);
  for (let y = 0; y < inner.height; y++) {
    out.set(scaled.subarray(y * inner.width * 3, (y + 1) * inner.width * 3), ((top + y) * width + left) * 3);
  }
  return out;
}
