import { bend, moved } from "./epilogue";
import { FLOAT, VECTOR } from "./simd";
import { lower, multiplyTiles, upper } from "./winograd";

/**
 * Convolves one image with transformed filters as `winograd` does, with what follows a convolution: see `convolveFused`.
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

/** `A' m A` of one tile, four channels at a time, with all that follows, into as many of its 2x2 pixels as there are. */
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
