import { bend, loadOrZero, moved } from "./epilogue";
import { FLOAT, multiplyAdd, offsetOf, PANEL, PANEL_ROW, storeLanes, VECTOR } from "./simd";

/** Pixels of a tile: with the eight channels of a panel it fills the processor's registers. */
const TILE: i32 = 6;

/**
 * A convolution as an implicit matrix product: each output pixel is the product of what it sees, `rows` runs of `run` floats that lie `rowStep` bytes apart,
 * with the filter. A matrix product is the case of one run.
 *
 * @param seen offsets of what each pixel sees, from `input`
 * @param filter `[rows * run, channels]`, packed in panels
 * @param placed offsets of where each pixel goes, from `output`
 * @param first, last pixels
 */
export function convolve(
  input: usize,
  seen: usize,
  rows: i32,
  rowStep: usize,
  run: i32,
  filter: usize,
  output: usize,
  placed: usize,
  channels: i32,
  first: i32,
  last: i32,
): void {
  const most = f32x4.splat(Infinity), least = f32x4.neg(most);
  convolvePixels(input, seen, rows, rowStep, run, filter, output, placed, channels, 0, 0, 0, 0, least, most, first, last);
}

/**
 * The same with what follows a convolution: a bias, another layer's output added, slopes below zero, bounds.
 *
 * @param channels a multiple of eight
 * @param bias, slopes `[channels]`; 0 for no slopes
 * @param residual, added another output and offsets of its pixels; 0 for none
 * @param block pixels that are computed for all channels before the next ones
 */
export function convolveFused(
  input: usize,
  seen: usize,
  rows: i32,
  rowStep: usize,
  run: i32,
  filter: usize,
  output: usize,
  placed: usize,
  channels: i32,
  bias: usize,
  slopes: usize,
  residual: usize,
  added: usize,
  least: f32,
  most: f32,
  block: i32,
  pixels: i32,
): void {
  const low = f32x4.splat(least), high = f32x4.splat(most);
  for (let p = 0; p < pixels; p += block) {
    const end = min(p + block, pixels);
    convolvePixels(
      input,
      seen,
      rows,
      rowStep,
      run,
      filter,
      output,
      placed,
      channels,
      bias,
      slopes,
      residual,
      added,
      low,
      high,
      p,
      end,
    );
  }
}

function convolvePixels(
  input: usize,
  seen: usize,
  rows: i32,
  rowStep: usize,
  run: i32,
  filter: usize,
  output: usize,
  placed: usize,
  channels: i32,
  bias: usize,
  slopes: usize,
  residual: usize,
  added: usize,
  least: v128,
  most: v128,
  first: i32,
  last: i32,
): void {
  const panelBytes = <usize>(rows * run) * PANEL_ROW;
  for (let channel = 0; channel < channels; channel += PANEL) {
    const width = min(PANEL, channels - channel);
    for (let p = first; p < last; p += TILE) {
      convolveTile(
        input,
        seen,
        rows,
        rowStep,
        run,
        filter,
        output,
        placed,
        width,
        bias,
        slopes,
        residual,
        added,
        least,
        most,
        p,
        last - 1,
      );
    }
    filter += panelBytes;
    output += PANEL_ROW;
    bias = moved(bias, PANEL_ROW);
    slopes = moved(slopes, PANEL_ROW);
    residual = moved(residual, PANEL_ROW);
  }
}

/** Pixels `p` to `p + 5`, the last one again where there are fewer. */
@inline
function convolveTile(
  input: usize,
  seen: usize,
  rows: i32,
  rowStep: usize,
  run: i32,
  filter: usize,
  output: usize,
  placed: usize,
  width: i32,
  bias: usize,
  slopes: usize,
  residual: usize,
  added: usize,
  least: v128,
  most: v128,
  p: i32,
  lastPixel: i32,
): void {
  const p1 = min(p + 1, lastPixel), p2 = min(p + 2, lastPixel), p3 = min(p + 3, lastPixel);
  const p4 = min(p + 4, lastPixel), p5 = min(p + 5, lastPixel);
  let a0 = input + offsetOf(seen, p), a1 = input + offsetOf(seen, p1), a2 = input + offsetOf(seen, p2);
  let a3 = input + offsetOf(seen, p3), a4 = input + offsetOf(seen, p4), a5 = input + offsetOf(seen, p5);
  let c00 = loadOrZero(bias), c10 = c00, c20 = c00, c30 = c00, c40 = c00, c50 = c00;
  let c01 = loadOrZero(moved(bias, VECTOR)), c11 = c01, c21 = c01, c31 = c01, c41 = c01, c51 = c01;
  const bytes = <usize>run * FLOAT;
  for (let row = 0; row < rows; row++) {
    for (let k: usize = 0; k < bytes; k += FLOAT) {
      const b0 = v128.load(filter), b1 = v128.load(filter, VECTOR);
      filter += PANEL_ROW;
      let a = v128.load32_splat(a0 + k);
      c00 = multiplyAdd(a, b0, c00);
      c01 = multiplyAdd(a, b1, c01);
      a = v128.load32_splat(a1 + k);
      c10 = multiplyAdd(a, b0, c10);
      c11 = multiplyAdd(a, b1, c11);
      a = v128.load32_splat(a2 + k);
      c20 = multiplyAdd(a, b0, c20);
      c21 = multiplyAdd(a, b1, c21);
      a = v128.load32_splat(a3 + k);
      c30 = multiplyAdd(a, b0, c30);
      c31 = multiplyAdd(a, b1, c31);
      a = v128.load32_splat(a4 + k);
      c40 = multiplyAdd(a, b0, c40);
      c41 = multiplyAdd(a, b1, c41);
      a = v128.load32_splat(a5 + k);
      c50 = multiplyAdd(a, b0, c50);
      c51 = multiplyAdd(a, b1, c51);
    }
    a0 += rowStep;
    a1 += rowStep;
    a2 += rowStep;
    a3 += rowStep;
    a4 += rowStep;
    a5 += rowStep;
  }
  if (residual !== 0) {
    let at = residual + offsetOf(added, p);
    c00 = f32x4.add(c00, v128.load(at));
    c01 = f32x4.add(c01, v128.load(at, VECTOR));
    at = residual + offsetOf(added, p1);
    c10 = f32x4.add(c10, v128.load(at));
    c11 = f32x4.add(c11, v128.load(at, VECTOR));
    at = residual + offsetOf(added, p2);
    c20 = f32x4.add(c20, v128.load(at));
    c21 = f32x4.add(c21, v128.load(at, VECTOR));
    at = residual + offsetOf(added, p3);
    c30 = f32x4.add(c30, v128.load(at));
    c31 = f32x4.add(c31, v128.load(at, VECTOR));
    at = residual + offsetOf(added, p4);
    c40 = f32x4.add(c40, v128.load(at));
    c41 = f32x4.add(c41, v128.load(at, VECTOR));
    at = residual + offsetOf(added, p5);
    c50 = f32x4.add(c50, v128.load(at));
    c51 = f32x4.add(c51, v128.load(at, VECTOR));
  }
  put(output + offsetOf(placed, p), c00, c01, slopes, least, most, width);
  put(output + offsetOf(placed, p1), c10, c11, slopes, least, most, width);
  put(output + offsetOf(placed, p2), c20, c21, slopes, least, most, width);
  put(output + offsetOf(placed, p3), c30, c31, slopes, least, most, width);
  put(output + offsetOf(placed, p4), c40, c41, slopes, least, most, width);
  put(output + offsetOf(placed, p5), c50, c51, slopes, least, most, width);
}

@inline
function put(at: usize, low: v128, high: v128, slopes: usize, least: v128, most: v128, width: i32): void {
  storeLanes(at, bend(low, slopes, least, most), width);
  if (width > 4) storeLanes(at + VECTOR, bend(high, moved(slopes, VECTOR), least, most), width - 4);
}
