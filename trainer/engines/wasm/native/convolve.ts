import type { Geometry } from "../../geometry.ts";
import { type Extent, framed, type Grid, gridOver, type Images, ORIGIN, rowBytes, rowsOf } from "./grid.ts";
import type { Address, Workspace } from "./workspace.ts";

/** Columns of a panel. */
const PANEL = 8;
/** Floats of a tile of `filterGradient`, along the filter and in all. */
const TILE = 6, TILE_FLOATS = TILE * PANEL;
/** Bytes of the input that a thread goes through with all of the filter, so that they stay in the second cache. */
const CACHED = 2 ** 17;

/** What the pixels of an output see of the input: each `rows` runs of `run` floats, `rowStep` bytes apart, from its place in a grid. */
export interface Windows {
  grid: Grid;
  rows: number;
  run: number;
  rowStep: number;
  /** Bytes of the input for each pixel. */
  share: number;
}

/** A matrix packed in panels of eight columns. */
export interface Panels {
  at: Address;
  columns: number;
}

/**
 * What the pixels of a convolution's output see of its input.
 *
 * @param slack floats that may be read past the input
 */
export function windowsOf(work: Workspace, input: Images, geometry: Geometry, slack = 0): Windows {
  const { padInfo, filterHeight, filterWidth, strideHeight, strideWidth, outHeight, outWidth } = geometry;
  const size = {
    rows: (outHeight - 1) * strideHeight + filterHeight,
    columns: (outWidth - 1) * strideWidth + filterWidth,
  };
  const seen = framed(work, input, { rows: padInfo.top, columns: padInfo.left }, size, slack);
  const stride = { rows: strideHeight, columns: strideWidth };
  const grid = gridOver(work, seen, ORIGIN, { rows: outHeight, columns: outWidth }, stride);
  return windowsFrom(seen, grid, { rows: filterHeight, columns: filterWidth }, stride);
}

/** Windows of some rows and columns from each pixel of a grid over images. */
export function windowsFrom(images: Images, grid: Grid, { rows, columns }: Extent, stride: Extent): Windows {
  const step = rowBytes(images);
  const share = step / images.width * stride.rows * stride.columns;
  return { grid, rows, run: columns * images.channels, rowStep: step, share };
}

/** The rows of a matrix `[rows, columns]` as windows of one run. */
export function matrixWindows(work: Workspace, at: Address, rows: number, columns: number): Windows {
  const share = columns * Float32Array.BYTES_PER_ELEMENT;
  return { grid: rowsOf(work, at, rows, columns), rows: 1, run: columns, rowStep: 0, share };
}

/** Packs a matrix `[rows, columns]`. */
export function packColumns(work: Workspace, matrix: Address, rows: number, columns: number): Panels {
  const at = work.take(rows * PANEL * Math.ceil(columns / PANEL));
  work.run("packColumns", [matrix, at, rows, columns], rows);
  return { at, columns };
}

/** Some taps along both axes of a filter, in falling order: the first one, how far it is to the next, and how many. */
export interface Taps {
  first: Extent;
  stride: Extent;
  count: Extent;
}

/**
 * Packs taps of a filter `[.., width, inputs, outputs]` with inputs and outputs exchanged: the matrix `[taps * outputs, inputs]`.
 */
export function packExchanged(
  work: Workspace,
  filter: Address,
  [width, inputs, outputs]: number[],
  { first, stride, count }: Taps,
): Panels {
  const taps = count.rows * count.columns, panels = Math.ceil(inputs / PANEL);
  const at = work.take(taps * outputs * PANEL * panels);
  const rows = [count.rows, first.rows, stride.rows], columns = [count.columns, first.columns, stride.columns];
  work.run("packExchanged", [filter, at, width, inputs, outputs, ...rows, ...columns], taps * panels);
  return { at, columns: inputs };
}

/** Packs the transpose of a matrix `[rows, columns]`, which has `rows` columns. */
export function packTransposed(work: Workspace, matrix: Address, rows: number, columns: number): Panels {
  const one = { rows: 1, columns: 1 };
  return packExchanged(work, matrix, [1, rows, columns], { first: ORIGIN, stride: one, count: one });
}

/** Multiplies what each pixel sees with a filter `[rows * run, channels]`, into the places of another grid. */
export function convolve(work: Workspace, { grid, ...seen }: Windows, filter: Panels, placed: Grid): void {
  const args = [grid.at, grid.offsets, seen.rows, seen.rowStep, seen.run];
  const target = [filter.at, placed.at, placed.offsets, filter.columns];
  const pixels = Math.min(CACHED / seen.share, grid.count / 4);
  work.run("convolve", [...args, ...target], grid.count, TILE * Math.ceil(pixels / TILE));
}

/**
 * The gradient of a convolution by its filter.
 *
 * @param gradient of the output, `[pixels, channels]`
 * @param filter where it goes, `[rows * run, channels]`
 */
export function filterGradient(work: Workspace, { grid, ...seen }: Windows, gradient: Panels, filter: Address): void {
  const tilesPerRow = Math.ceil(seen.run / TILE);
  const tiles = Math.ceil(gradient.columns / PANEL) * seen.rows * tilesPerRow;
  const sums = work.take(tiles * TILE_FLOATS);
  const args = [grid.at, grid.offsets, seen.rows, seen.rowStep, tilesPerRow];
  work.run("filterGradient", [...args, gradient.at, grid.count, sums], tiles);
  work.run("unpackSums", [sums, filter, seen.rows, seen.run, tilesPerRow, gradient.columns], seen.rows * seen.run);
}
