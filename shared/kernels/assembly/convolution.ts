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
  const panelBytes = <usize>(rows * run) * PANEL_ROW;
  for (let channel = 0; channel < channels; channel += PANEL, filter += panelBytes, output += PANEL_ROW) {
    const width = min(PANEL, channels - channel);
    for (let p = first; p < last; p += TILE) {
      convolveTile(input, seen, rows, rowStep, run, filter, output, placed, width, p, last - 1);
    }
  }
}

/** Pixels `p` to `p + 5`, the last one again where there are fewer. */
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
  p: i32,
  lastPixel: i32,
): void {
  const p1 = min(p + 1, lastPixel), p2 = min(p + 2, lastPixel), p3 = min(p + 3, lastPixel);
  const p4 = min(p + 4, lastPixel), p5 = min(p + 5, lastPixel);
  let a0 = input + offsetOf(seen, p), a1 = input + offsetOf(seen, p1), a2 = input + offsetOf(seen, p2);
  let a3 = input + offsetOf(seen, p3), a4 = input + offsetOf(seen, p4), a5 = input + offsetOf(seen, p5);
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00;
  let c30 = c00, c31 = c00, c40 = c00, c41 = c00, c50 = c00, c51 = c00;
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
  put(output + offsetOf(placed, p), c00, c01, width);
  put(output + offsetOf(placed, p1), c10, c11, width);
  put(output + offsetOf(placed, p2), c20, c21, width);
  put(output + offsetOf(placed, p3), c30, c31, width);
  put(output + offsetOf(placed, p4), c40, c41, width);
  put(output + offsetOf(placed, p5), c50, c51, width);
}

@inline
function put(at: usize, low: v128, high: v128, width: i32): void {
  storeLanes(at, low, width);
  if (width > 4) storeLanes(at + VECTOR, high, width - 4);
}
