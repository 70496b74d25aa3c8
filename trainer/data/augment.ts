import type { InputSpec } from "../../shared/card.ts";
import { fitPixels, type Image, type Region, resize, toChannels } from "../../shared/image/mod.ts";
import type { Random } from "../random.ts";

/** How a photo is varied each time it is trained on. */
export interface Augmentation {
  /** The share of the photo's area that a crop keeps: drawn uniformly from this value to 1; 1 fits the whole photo as serving does. */
  minCropArea: number;
  /** Whether half of the photos are mirrored. */
  flip: boolean;
  /** The greatest relative change of brightness and of contrast, 0 for none. */
  brightness: number;
  contrast: number;
  /** The greatest relative change of saturation, 0 for none. */
  saturation: number;
}

const ASPECT_RATIOS: [number, number] = [3 / 4, 4 / 3];

/**
 * A random view of a photo at the network's size: random resized crop (Szegedy et al. 2015), mirror image, brightness,
 * contrast and saturation.
 *
 * @returns `[height, width, channels]` 8-bit pixels
 */
export function augment(
  image: Image,
  input: InputSpec,
  options: Augmentation,
  random: Random,
): Uint8Array<ArrayBuffer> {
  const { height, width } = input;
  const rgb = options.minCropArea < 1
    ? resize(image, randomCrop(image, width / height, options.minCropArea, random), height, width)
    : fitPixels(image, { ...input, channels: 3 });
  if (options.flip && random() < 0.5) mirror(rgb, height, width);
  jitter(rgb, options, random);
  return toChannels(rgb, input.channels);
}

/** A crop of random area and shape that lies within the image; its shape varies around that of the network's input. */
function randomCrop(image: Image, aspect: number, minArea: number, random: Random): Region {
  const area = (minArea + (1 - minArea) * random()) * image.width * image.height;
  const [narrow, wide] = ASPECT_RATIOS.map(Math.log);
  const ratio = aspect * Math.exp(narrow + (wide - narrow) * random());
  const width = Math.min(image.width, Math.sqrt(area * ratio));
  const height = Math.min(image.height, Math.sqrt(area / ratio));
  return { x: (image.width - width) * random(), y: (image.height - height) * random(), width, height };
}

function mirror(rgb: Uint8Array, height: number, width: number): void {
  const pixels = new Uint8Array(width * 3);
  for (let y = 0; y < height; y++) {
    const row = rgb.subarray(y * width * 3, (y + 1) * width * 3);
    pixels.set(row);
    for (let x = 0; x < width; x++) row.set(pixels.subarray(3 * (width - 1 - x), 3 * (width - x)), 3 * x);
  }
}

/**
 * Brightness, contrast and saturation in one pass: each channel is scaled, pulled from the photo's mean luma, then from the
 * pixel's own luma (ITU-R BT.601).
 */
function jitter(rgb: Uint8Array, { brightness, contrast, saturation }: Augmentation, random: Random): void {
  if (brightness === 0 && contrast === 0 && saturation === 0) return;
  const factor = (strength: number) => 1 + strength * (2 * random() - 1);
  const light = factor(brightness), spread = factor(contrast), color = factor(saturation);
  const clamp = (value: number) => Math.min(255, Math.max(0, Math.round(value)));
  const mean = meanLuma(rgb) * light;
  for (let i = 0; i < rgb.length; i += 3) {
    const red = mean + (rgb[i] * light - mean) * spread;
    const green = mean + (rgb[i + 1] * light - mean) * spread;
    const blue = mean + (rgb[i + 2] * light - mean) * spread;
    const luma = 0.299 * red + 0.587 * green + 0.114 * blue;
    rgb[i] = clamp(luma + (red - luma) * color);
    rgb[i + 1] = clamp(luma + (green - luma) * color);
    rgb[i + 2] = clamp(luma + (blue - luma) * color);
  }
}

function meanLuma(rgb: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < rgb.length; i += 3) sum += 0.299 * rgb[i] + 0.587 * rgb[i + 1] + 0.114 * rgb[i + 2];
  return sum * 3 / rgb.length;
}
