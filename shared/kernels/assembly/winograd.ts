import { convolve } from "./convolution";
import { bend, moved } from "./epilogue";
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

/**
 * The same of one image, with what follows a convolution: see `convolveFused`.
 *
 * @param outRow bytes of a row of the output's frame
 * @param residual, addedRow another output, and bytes of a row of its frame; 0 for none
 */
export function winogradFused(
  input: usize,
  rowBytes: usize,
  inner: i32,
  filter: usize,
  output: usize,
  outRow: usize,
  height: i32,
  width: i32,
  channels: i32,
  bias: usize,
  slopes: usize,
  residual: usize,
  addedRow: usize,
  least: f32,
  most: f32,
  block: i32,
  scratch: usize,
  seen: usize,
  placed: usize,
): void {
  const low = f32x4.splat(least), high = f32x4.splat(most);
  const down = (height + 1) >> 1, across = (width + 1) >> 1, tiles = down * across;
  const products = scratch + <usize>(16 * block * inner) * FLOAT;
  for (let start = 0; start < tiles; start += block) {
    const count = min(block, tiles - start);
    multiplyTiles(input, 0, rowBytes, inner, filter, channels, down, across, block, scratch, seen, placed, start, count);
    for (let i = 0; i < count; i++) {
      const tile = start + i, row = 2 * (tile / across), column = 2 * (tile % across);
      const x = <usize>(column * channels) * FLOAT;
      const added = moved(residual, <usize>row * addedRow + x);
      const rows = min(2, height - row), columns = min(2, width - column);
      joinFused(
        products + <usize>(i * channels) * FLOAT,
        <usize>(block * channels) * FLOAT,
        output + <usize>row * outRow + x,
        outRow,
        channels,
        rows,
        columns,
        bias,
        slopes,
        added,
        addedRow,
        low,
        high,
      );
    }
  }
}

/** Transforms some tiles' patches and multiplies them with the filters. */
@inline
function multiplyTiles(
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

@inline
function upper(column: usize, plane: usize): v128 {
  return f32x4.add(v128.load(column), f32x4.add(v128.load(column + 4 * plane), v128.load(column + 8 * plane)));
}

@inline
function lower(column: usize, plane: usize): v128 {
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

/** The same, ended as a fused layer. */
@inline
function joinFused(
  from: usize,
  plane: usize,
  to: usize,
  row: usize,
  channels: i32,
  rows: i32,
  columns: i32,
  bias: usize,
  slopes: usize,
  added: usize,
  addedRow: usize,
  least: v128,
  most: v128,
): void {
  const pixel = <usize>channels * FLOAT;
  for (let channel = 0; channel < channels; channel += 4, from += VECTOR, to += VECTOR) {
    const b = v128.load(bias);
    let m0 = upper(from, plane), m1 = upper(from + plane, plane);
    let m2 = upper(from + 2 * plane, plane), m3 = upper(from + 3 * plane, plane);
    storeFused(m0, m1, m2, m3, to, pixel, columns, b, slopes, added, least, most);
    if (rows > 1) {
      m0 = lower(from, plane), m1 = lower(from + plane, plane);
      m2 = lower(from + 2 * plane, plane), m3 = lower(from + 3 * plane, plane);
      storeFused(m0, m1, m2, m3, to + row, pixel, columns, b, slopes, moved(added, addedRow), least, most);
    }
    bias += VECTOR;
    slopes = moved(slopes, VECTOR);
    added = moved(added, VECTOR);
  }
}

@inline
function storeFused(
  m0: v128,
  m1: v128,
  m2: v128,
  m3: v128,
  to: usize,
  pixel: usize,
  columns: i32,
  bias: v128,
  slopes: usize,
  added: usize,
  least: v128,
  most: v128,
): void {
  let left = f32x4.add(bias, f32x4.add(m0, f32x4.add(m1, m2)));
  if (added !== 0) left = f32x4.add(left, v128.load(added));
  v128.store(to, bend(left, slopes, least, most));
  if (columns > 1) {
    let right = f32x4.add(bias, f32x4.sub(f32x4.sub(m1, m2), m3));
    if (added !== 0) right = f32x4.add(right, v128.load(added + pixel));
    v128.store(to + pixel, bend(right, slopes, least, most));
  }
}
