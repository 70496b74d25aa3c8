import type { InputSpec } from "../card.ts";
import { encodeRgbaPng } from "./codecs.ts";
import { admit, decodeFor } from "./decode.ts";
import { type Image, type Region, uprightSize } from "./image.ts";
import { resize, resizeDecoded } from "./resize.ts";

/**
 * From the bytes of an image file to the pixels that the network sees: decoded, upright, fitted and scaled. A JPEG is decoded
 * only as large as that needs.
 *
 * @returns `[height, width, channels]` 8-bit pixels
 * @throws {ImageError} if the bytes are no image that we decode
 */
export async function toInputPixels(bytes: Uint8Array, input: InputSpec): Promise<Uint8Array<ArrayBuffer>> {
  const header = admit(bytes);
  const place = placeOf(uprightSize(header), input);
  const { region, height, width } = place;
  const decoded = await decodeFor(bytes, header, Math.min(region.width / width, region.height / height));
  return toChannels(pad(await resizeDecoded(decoded, region, height, width), place, input), input.channels);
}

/**
 * Fits a decoded image to the network's size: `cover` cuts the longer side, `contain` adds white bars, `stretch` distorts.
 *
 * @returns `[height, width, channels]` 8-bit pixels
 */
export async function fitPixels(
  image: Image,
  input: Pick<InputSpec, "height" | "width" | "channels" | "fit">,
): Promise<Uint8Array<ArrayBuffer>> {
  const place = placeOf(image, input);
  const rgb = await resize(image, place.region, place.height, place.width);
  return toChannels(pad(rgb, place, input), input.channels);
}

/**
 * 8-bit pixels to the network's input tensor: `(pixel / 255 - mean) / std`, channel by channel.
 *
 * @param pixels `[..., channels]` 8-bit
 * @param out where the tensor goes: a view of the memory that the network reads, if that is to be saved a copy
 * @returns `out`, the same shape, float32
 */
export function normalize(
  pixels: Uint8Array,
  input: Pick<InputSpec, "channels" | "mean" | "std">,
  out: Float32Array = new Float32Array(pixels.length),
): Float32Array {
  const { channels } = input;
  const scale = input.std.map((std) => 1 / (255 * std));
  const shift = input.mean.map((mean, c) => mean / input.std[c]);
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
 * The network's pixels as an image.
 *
 * @param pixels `[height, width, channels]` 8-bit
 */
export function imageOf(
  pixels: Uint8Array,
  { height, width, channels }: Pick<InputSpec, "height" | "width" | "channels">,
): Image {
  const data = new Uint8ClampedArray(height * width * 4).fill(255);
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < 3; c++) data[4 * i + c] = pixels[i * channels + (channels === 1 ? 0 : c)];
  }
  return { width, height, data };
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
  channels: 1 | 3,
): Promise<Uint8Array<ArrayBuffer>> {
  const { data } = imageOf(pixels, { height, width, channels });
  return encodeRgbaPng(new Uint8Array(data.buffer), width, height);
}

/** What of an image the network sees, and how large: smaller than its input where bars are added. */
interface Place {
  region: Region;
  height: number;
  width: number;
}

type Frame = Pick<InputSpec, "height" | "width" | "fit">;

function placeOf(image: { width: number; height: number }, { height, width, fit }: Frame): Place {
  const across = image.width / width, down = image.height / height;
  const whole = { x: 0, y: 0, width: image.width, height: image.height };
  if (fit === "stretch") return { region: whole, height, width };
  if (fit === "contain") {
    const scale = Math.max(across, down);
    const inner = (side: number) => Math.max(1, Math.round(side / scale));
    return { region: whole, height: inner(image.height), width: inner(image.width) };
  }
  const scale = Math.min(across, down);
  const part = { width: width * scale, height: height * scale };
  const region = { x: (image.width - part.width) / 2, y: (image.height - part.height) / 2, ...part };
  return { region, height, width };
}

/** Adds white bars where an image does not fill the network's input. */
function pad(rgb: Uint8Array<ArrayBuffer>, place: Place, { height, width }: Frame): Uint8Array<ArrayBuffer> {
  if (place.height === height && place.width === width) return rgb;
  const out = new Uint8Array(height * width * 3).fill(255);
  const left = Math.floor((width - place.width) / 2), top = Math.floor((height - place.height) / 2);
  for (let y = 0; y < place.height; y++) {
    out.set(rgb.subarray(y * place.width * 3, (y + 1) * place.width * 3), ((top + y) * width + left) * 3);
  }
  return out;
}
