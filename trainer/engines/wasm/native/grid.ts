import type { Address, Workspace } from "./workspace.ts";

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/** Images `[batch, height, width, channels] float32` in the backend's memory. */
export interface Images {
  at: Address;
  batch: number;
  height: number;
  width: number;
  channels: number;
}

/** A length for each of two axes. */
export interface Extent {
  rows: number;
  columns: number;
}

/** Pixels of images at regular places: every so many rows and columns from a first one, in each image. */
export interface Grid {
  /** Of the first image's first pixel. */
  at: Address;
  /** A table of where each pixel lies, bytes from there. */
  offsets: Address;
  /** How many there are in all images. */
  count: number;
}

/** Bytes of one row of the images. */
export function rowBytes({ width, channels }: Images): number {
  return width * channels * FLOAT;
}

/**
 * Images in a frame of zeros, or cut to it; the very same ones where they fill it already.
 *
 * @param before rows and columns of zeros before the image; negative where some are cut off
 * @param size of the frame
 * @param slack floats that may be read past its end
 */
export function framed(work: Workspace, images: Images, before: Extent, size: Extent, slack = 0): Images {
  const { batch, height, width, channels } = images;
  const same = before.rows === 0 && before.columns === 0 && size.rows <= height && size.columns <= width;
  if (same && slack === 0) return images;
  const frame = { batch, height: size.rows, width: size.columns, channels };
  const target = { ...frame, at: work.take(batch * size.rows * size.columns * channels + slack) };
  frameInto(work, images, before, target);
  return target;
}

/** Writes images into a frame of zeros, or cuts them to it, as {@link framed} does. */
export function frameInto(work: Workspace, images: Images, before: Extent, target: Images): void {
  const left = before.columns * images.channels * FLOAT;
  const sizes = [images.height, rowBytes(images), target.height, rowBytes(target)];
  work.run("frame", [images.at, target.at, ...sizes, before.rows, left], target.batch * target.height);
}

/**
 * Lays a grid over images.
 *
 * @param first row and column of the first pixel
 * @param size rows and columns of pixels in each image
 * @param stride rows and columns from pixel to pixel
 */
export function gridOver(work: Workspace, images: Images, first: Extent, size: Extent, stride: Extent): Grid {
  const row = rowBytes(images), column = images.channels * FLOAT;
  const count = images.batch * size.rows * size.columns;
  const offsets = work.take(count);
  const steps = [images.height * row, stride.rows * row, stride.columns * column];
  work.run("tabulate", [offsets, size.rows, size.columns, ...steps], images.batch, images.batch);
  return { at: images.at + first.rows * row + first.columns * column, offsets, count };
}

/** All rows of a matrix, as pixels of one image. */
export function rowsOf(work: Workspace, at: Address, rows: number, columns: number): Grid {
  const image = { at, batch: 1, height: 1, width: rows, channels: columns };
  return gridOver(work, image, ORIGIN, { rows: 1, columns: rows }, UNIT);
}

/** No rows and no columns. */
export const ORIGIN: Extent = { rows: 0, columns: 0 };
/** One row and one column. */
export const UNIT: Extent = { rows: 1, columns: 1 };
