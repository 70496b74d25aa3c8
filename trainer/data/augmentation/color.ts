import type { Random } from "../../random.ts";
import type { Augmentation } from "../augment.ts";

/** How far colours may go. */
export type ColorJitter = Pick<Augmentation, "brightness" | "contrast" | "saturation" | "hue">;

/**
 * Brightness, contrast, saturation and hue in one pass, in place (Howard 2013, "Some Improvements on Deep Convolutional
 * Neural Network Based Image Classification"; hue as in Szegedy et al. 2015): each channel is scaled, pulled from the view's
 * mean luma, then from the pixel's own luma (ITU-R BT.601), and the pixel's hue in HSV turned.
 *
 * @param rgb `[pixels, 3]` 8-bit
 * @param strength greatest relative changes, of hue in turns; all 0 draws nothing, and nor does a hue of 0
 */
export function colorJitter(rgb: Uint8Array, strength: ColorJitter, random: Random): void {
  const { brightness, contrast, saturation, hue } = strength;
  if (brightness === 0 && contrast === 0 && saturation === 0 && hue === 0) return;
  const factor = (strength: number) => 1 + strength * (2 * random() - 1);
  const light = factor(brightness), spread = factor(contrast), color = factor(saturation);
  const turn = hue === 0 ? 0 : hue * (2 * random() - 1);
  const mean = meanLuma(rgb) * light;
  for (let i = 0; i < rgb.length; i += 3) {
    const red = mean + (rgb[i] * light - mean) * spread;
    const green = mean + (rgb[i + 1] * light - mean) * spread;
    const blue = mean + (rgb[i + 2] * light - mean) * spread;
    const luma = 0.299 * red + 0.587 * green + 0.114 * blue;
    rgb[i] = toByte(luma + (red - luma) * color);
    rgb[i + 1] = toByte(luma + (green - luma) * color);
    rgb[i + 2] = toByte(luma + (blue - luma) * color);
  }
  if (turn !== 0) turnHue(rgb, turn);
}

/**
 * Turns the hue of every pixel, in place; value and saturation in HSV stay (Smith 1978, "Color Gamut Transform Pairs").
 *
 * @param rgb `[pixels, 3]` 8-bit
 * @param turn part of the colour circle from -1 to 1: a third makes green of red
 */
export function turnHue(rgb: Uint8Array, turn: number): void {
  const sixths = 6 * turn + (turn < 0 ? 6 : 0);
  for (let i = 0; i < rgb.length; i += 3) {
    const red = rgb[i], green = rgb[i + 1], blue = rgb[i + 2];
    const most = Math.max(red, green, blue), least = Math.min(red, green, blue);
    const chroma = most - least;
    if (chroma === 0) continue;
    const own = most === red
      ? (green - blue) / chroma + 6
      : most === green
      ? (blue - red) / chroma + 2
      : (red - green) / chroma + 4;
    const hue = own + sixths;
    const sector = Math.floor(hue), rise = chroma * (hue - sector);
    // In every sixth of the circle one channel is the greatest, one the least, and one goes from the one to the other.
    const between = (sector % 2 === 0 ? least + rise : most - rise) + 0.5;
    const at = sector % 6;
    rgb[i] = at === 0 || at === 5 ? most : at === 1 || at === 4 ? between : least;
    rgb[i + 1] = at === 1 || at === 2 ? most : at === 0 || at === 3 ? between : least;
    rgb[i + 2] = at === 3 || at === 4 ? most : at === 2 || at === 5 ? between : least;
  }
}

/**
 * Replaces every pixel by its luma (ITU-R BT.601), in place.
 *
 * @param rgb `[pixels, 3]` 8-bit
 */
export function toGrey(rgb: Uint8Array): void {
  for (let i = 0; i < rgb.length; i += 3) {
    rgb[i] = rgb[i + 1] = rgb[i + 2] = Math.round(0.299 * rgb[i] + 0.587 * rgb[i + 1] + 0.114 * rgb[i + 2]);
  }
}

/** Rounds and clamps; `Math.round`, `min` and `max` take half as long again. */
function toByte(value: number): number {
  return value <= 0 ? 0 : value >= 255 ? 255 : (value + 0.5) | 0;
}

function meanLuma(rgb: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < rgb.length; i += 3) sum += 0.299 * rgb[i] + 0.587 * rgb[i + 1] + 0.114 * rgb[i + 2];
  return sum * 3 / rgb.length;
}
