import type { Orientation } from "./exif.ts";

/** A decoded image: `[height, width, 4]` 8-bit RGBA, alpha not premultiplied. */
export interface Image {
  width: number;
  height: number;
  data: Uint8ClampedArray;
}

/** Turns stored pixels upright by their EXIF orientation. */
export function orient(image: Image, orientation: Orientation): Image {
  if (orientation === 1) return image;
  const { width, height } = image;
  const swapped = orientation >= 5;
  const out = { width: swapped ? height : width, height: swapped ? width : height };
  const source = new Uint32Array(image.data.buffer, image.data.byteOffset, width * height);
  const target = new Uint32Array(width * height);
  const origin = SOURCE_OF[orientation];
  for (let y = 0; y < out.height; y++) {
    for (let x = 0; x < out.width; x++) {
      const [sx, sy] = origin(x, y, width - 1, height - 1);
      target[y * out.width + x] = source[sy * width + sx];
    }
  }
  return { ...out, data: new Uint8ClampedArray(target.buffer) };
}

/** For an upright pixel, where it is stored; `right` and `bottom` are the last column and row as stored. */
const SOURCE_OF: Record<Orientation, (x: number, y: number, right: number, bottom: number) => [number, number]> = {
  1: (x, y) => [x, y],
  2: (x, y, right) => [right - x, y],
  3: (x, y, right, bottom) => [right - x, bottom - y],
  4: (x, y, _, bottom) => [x, bottom - y],
  5: (x, y) => [y, x],
  6: (x, y, _, bottom) => [y, bottom - x],
  7: (x, y, right, bottom) => [right - y, bottom - x],
  8: (x, y, right) => [right - y, x],
};

/** Lays an image with transparency over white, in place, so that every pixel is opaque. */
export function flatten(image: Image): Image {
  const { data } = image;
  for (let i = 0; i < data.length; i += 4) {
    const alpha = data[i + 3];
    if (alpha === 255) continue;
    for (let c = 0; c < 3; c++) data[i + c] = Math.round((data[i + c] * alpha + 255 * (255 - alpha)) / 255);
    data[i + 3] = 255;
  }
  return image;
}
