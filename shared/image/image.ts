import type { Orientation } from "./exif.ts";

/** A decoded image: `[height, width, 4]` 8-bit RGBA, alpha not premultiplied. */
export interface Image {
  width: number;
  height: number;
  data: Uint8ClampedArray;
}

/** A part of an image in pixels; edges may lie between pixels. */
export interface Region {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Where stored pixels lie in the upright image, in pixels: that of column `x` and row `y` at `first + x * right + y * down`. */
export interface Layout {
  first: number;
  right: number;
  down: number;
}

/** The orientations whose columns are stored as rows. */
const isSwapped = (orientation: Orientation) => orientation >= 5;
/** Those whose stored rows, or columns, run against the upright image's. */
const RUNS_LEFT: readonly Orientation[] = [2, 3, 7, 8];
const RUNS_UP: readonly Orientation[] = [3, 4, 6, 7];

/** The size of an upright image that is stored in some orientation and size. */
export function uprightSize(
  { width, height, orientation }: { width: number; height: number; orientation: Orientation },
): { width: number; height: number } {
  return isSwapped(orientation) ? { width: height, height: width } : { width, height };
}

/** How the pixels of an image that is stored in some orientation and size make the upright one. */
export function layoutOf(orientation: Orientation, width: number, height: number): Layout {
  const [right, down] = isSwapped(orientation) ? [height, 1] : [1, width];
  const [left, up] = [RUNS_LEFT.includes(orientation), RUNS_UP.includes(orientation)];
  return {
    first: (left ? (width - 1) * right : 0) + (up ? (height - 1) * down : 0),
    right: left ? -right : right,
    down: up ? -down : down,
  };
}

/** Where a region of the upright image lies in one that is stored in some orientation and size. */
export function storedRegion(region: Region, orientation: Orientation, width: number, height: number): Region {
  const stored = isSwapped(orientation)
    ? { x: region.y, y: region.x, width: region.height, height: region.width }
    : { ...region };
  if (RUNS_LEFT.includes(orientation)) stored.x = width - stored.x - stored.width;
  if (RUNS_UP.includes(orientation)) stored.y = height - stored.y - stored.height;
  return stored;
}

/** Turns stored pixels upright by their EXIF orientation. */
export function orient({ width, height, data }: Image, orientation: Orientation): Image {
  if (orientation === 1) return { width, height, data };
  const { first, right, down } = layoutOf(orientation, width, height);
  const stored = new Uint32Array(data.buffer, data.byteOffset, width * height);
  const upright = new Uint32Array(width * height);
  for (let y = 0, from = 0; y < height; y++) {
    for (let x = 0, to = first + y * down; x < width; x++, to += right) upright[to] = stored[from++];
  }
  return { ...uprightSize({ width, height, orientation }), data: new Uint8ClampedArray(upright.buffer) };
}

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
