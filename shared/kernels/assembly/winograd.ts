import { convolve } from "./convolution";
import { FLOAT, PANEL_ROW, VECTOR } from "./simd";

/*
 * Convolutions with 3x3 filters at stride 1 in tiles of 2x2 output pixels: 16 products for each pair of channels where the plain way takes 36
 * (Lavin and Gray 2016, Fast Algorithms for Convolutional Neural Networks, section 4.1).
 */

/**
 * Transforms filters: `G g G'` of each.
 *
 * @param panels `[panels, 9, inner, 8]`, as `packColumns` packs `[9 * inner, channels]`
 * @param transformed `[16, panels, inner, 8]`
 * @param units panels times inner channels
 * @param first, last units
 */
export function winogradFilter(
  panels: usize,
  transformed: usize,
  inner: i32,
  units: i32,
  first: i32,
  last: i32,
): void {
  const tap = <usize>inner * PANEL_ROW;
  const plane = <usize>units * PANEL_ROW;
  for (let unit = first; unit < last; unit++) {
    const panel = unit / inner;
    const from = panels + <usize>panel * 9 * tap + <usize>(unit - panel * inner) * PANEL_ROW;
    const to = transformed + <usize>unit * PANEL_ROW;
    transformFilter(from, tap, to, plane);
    transformFilter(from + VECTOR, tap, to + VECTOR, plane);
  }
}

/** Of four channels. */
function transformFilter(from: usize, tap: usize, to: usize, plane: usize): void {
  const half = f32x4.splat(0.5);
  for (let row: usize = 0; row < 4; row++, to += 4 * plane) {
    const g0 = filterRow(from, 3 * tap, row);
    const g1 = filterRow(from + tap, 3 * tap, row);
    const g2 = filterRow(from + 2 * tap, 3 * tap, row);
    const outer = f32x4.add(g0, g2);
    v128.store(to, g0);
    v128.store(to + plane, f32x4.mul(half, f32x4.add(outer, g1)));
    v128.store(to + 2 * plane, f32x4.mul(half, f32x4.sub(outer, g1)));
    v128.store(to + 3 * plane, g2);
  }
}

/** A row of `G` times a column of the filter. */
@inline
function filterRow(column: usize, step: usize, row: usize): v128 {
  const top = v128.load(column), middle = v128.load(column + step), bottom = v128.load(column + 2 * step);
  if (row === 0) return top;
  if (row === 3) return bottom;
  const outer = f32x4.add(top, bottom);
  return f32x4.mul(f32x4.splat(0.5), row === 1 ? f32x4.add(outer, middle) : f32x4.sub(outer, middle));
}

/**
 * Convolves images with transformed filters.
 *
 * @param input `[.., frameHeight, frameWidth, inner]`, two rows and columns larger than the tiles
 * @param filter `[16, panels, inner, 8]`
 * @param output `[.., height, width, channels]`
 * @param down, across tiles of an image
 * @param block tiles that are computed at a time
 * @param scratch for each thread `16 * block * (inner + channels)` floats
 * @param seen, placed offsets of the rows of matrices `[block, inner]` and `[block, channels]`
 * @param first, last tiles of all images
 * @param thread the number of the thread
 */
export function winograd(
  input: usize,
  imageBytes: usize,
  rowBytes: usize,
  inner: i32,
  filter: usize,
  output: usize,
  height: i32,
  width: i32,
  channels: i32,
  down: i32,
  across: i32,
  block: i32,
  scratch: usize,
  seen: usize,
  placed: usize,
  first: i32,
  last: i32,
  thread: i32,
): void {
  const own = scratch + <usize>(thread * 16 * block * (inner + channels)) * FLOAT;
  const outRow = <usize>(width * channels) * FLOAT;
  for (let start = first; start < last; start += block) {
    const count = min(block, last - start);
    multiplyTiles(input, imageBytes, rowBytes, inner, filter, channels, down, across, block, own, seen, placed, start, count);
    const products = own + <usize>(16 * block * inner) * FLOAT;
    for (let i = 0; i < count; i++) {
      const tile = start + i, n = tile / (down * across);
      const row = 2 * (tile / across - n * down), column = 2 * (tile % across);
      const to = output + <usize>(n * height + row) * outRow + <usize>(column * channels) * FLOAT;
      const rows = min(2, height - row), columns = min(2, width - column);
      joinProducts(products + <usize>(i * channels) * FLOAT, <usize>(block * channels) * FLOAT, to, outRow, channels, rows, columns);
    }
  }
}

/** Transforms some tiles' patches and multiplies them with the filters. */
@inline
export function multiplyTiles(
  input: usize,
  imageBytes: usize,
  rowBytes: usize,
  inner: i32,
  filter: usize,
  channels: i32,
  down: i32,
  across: i32,
  block: i32,
  patches: usize,
  seen: usize,
  placed: usize,
  start: i32,
  count: i32,
): void {
  const seenPlane = <usize>(block * inner) * FLOAT, placedPlane = <usize>(block * channels) * FLOAT;
  const filterPlane = <usize>(((channels + 7) >> 3) * inner) * PANEL_ROW;
  const products = patches + 16 * seenPlane;
  for (let i = 0; i < count; i++) {
    const tile = start + i, n = tile / (down * across);
    const row = tile / across - n * down, column = tile % across;
    const from = input + <usize>n * imageBytes + <usize>(2 * row) * rowBytes + <usize>(2 * column * inner) * FLOAT;
    transformPatch(from, rowBytes, inner, patches + <usize>(i * inner) * FLOAT, seenPlane);
  }
  for (let plane: usize = 0; plane < 16; plane++) {
    const from = patches + plane * seenPlane, to = products + plane * placedPlane;
    convolve(from, seen, 1, 0, inner, filter + plane * filterPlane, to, placed, channels, 0, count);
  }
}

/** `B' d B` of one patch of 4x4 pixels, four channels at a time. */
@inline
export function transformPatch(from: usize, rowBytes: usize, channels: i32, to: usize, plane: usize): void {
  const pixel = <usize>channels * FLOAT;
  for (let channel = 0; channel < channels; channel += 4, from += VECTOR, to += VECTOR) {
    const row1 = from + rowBytes, row2 = row1 + rowBytes, row3 = row2 + rowBytes;
    storePatchRow(
      difference(from, row2, 0),
      difference(from, row2, pixel),
      difference(from, row2, 2 * pixel),
      difference(from, row2, 3 * pixel),
      to,
      plane,
    );
    storePatchRow(
      sum(row1, row2, 0),
      sum(row1, row2, pixel),
      sum(row1, row2, 2 * pixel),
      sum(row1, row2, 3 * pixel),
      to + 4 * plane,
      plane,
    );
    storePatchRow(
      difference(row2, row1, 0),
      difference(row2, row1, pixel),
      difference(row2, row1, 2 * pixel),
      difference(row2, row1, 3 * pixel),
      to + 8 * plane,
      plane,
    );
    storePatchRow(
      difference(row1, row3, 0),
      difference(row1, row3, pixel),
      difference(row1, row3, 2 * pixel),
      difference(row1, row3, 3 * pixel),
      to + 12 * plane,
      plane,
    );
  }
}

@inline
function difference(a: usize, b: usize, offset: usize): v128 {
  return f32x4.sub(v128.load(a + offset), v128.load(b + offset));
}

@inline
function sum(a: usize, b: usize, offset: usize): v128 {
  return f32x4.add(v128.load(a + offset), v128.load(b + offset));
}

@inline
function storePatchRow(d0: v128, d1: v128, d2: v128, d3: v128, to: usize, plane: usize): void {
  v128.store(to, f32x4.sub(d0, d2));
  v128.store(to + plane, f32x4.add(d1, d2));
  v128.store(to + 2 * plane, f32x4.sub(d2, d1));
  v128.store(to + 3 * plane, f32x4.sub(d1, d3));
}

/** `A' m A` of one tile, four channels at a time, into as many of its 2x2 pixels as there are. */
@inline
function joinProducts(from: usize, plane: usize, to: usize, row: usize, channels: i32, rows: i32, columns: i32): void {
  const pixel = <usize>channels * FLOAT;
  for (let channel = 0; channel < channels; channel += 4, from += VECTOR, to += VECTOR) {
    storePixels(
      upper(from, plane),
      upper(from + plane, plane),
      upper(from + 2 * plane, plane),
      upper(from + 3 * plane, plane),
      to,
      pixel,
      columns,
    );
    if (rows > 1) {
      storePixels(
        lower(from, plane),
        lower(from + plane, plane),
        lower(from + 2 * plane, plane),
        lower(from + 3 * plane, plane),
        to + row,
        pixel,
        columns,
      );
    }
  }
}

/** The upper row of `A' m` in a column of a tile's products. */
@inline
export function upper(column: usize, plane: usize): v128 {
  return f32x4.add(v128.load(column), f32x4.add(v128.load(column + 4 * plane), v128.load(column + 8 * plane)));
}

/** The lower row of `A' m` in a column of a tile's products. */
@inline
export function lower(column: usize, plane: usize): v128 {
  return f32x4.sub(
    f32x4.sub(v128.load(column + 4 * plane), v128.load(column + 8 * plane)),
    v128.load(column + 12 * plane),
  );
}

@inline
function storePixels(m0: v128, m1: v128, m2: v128, m3: v128, to: usize, pixel: usize, columns: i32): void {
  v128.store(to, f32x4.add(m0, f32x4.add(m1, m2)));
  if (columns > 1) v128.store(to + pixel, f32x4.sub(f32x4.sub(m1, m2), m3));
}
