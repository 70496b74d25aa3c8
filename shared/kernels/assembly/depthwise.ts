import { FLOAT, multiplyAdd, offsetOf, storeLanes, VECTOR } from "./simd";

/** Pixels that are computed at a time, so that a weight is loaded once for all of them. */
const TILE: i32 = 4;

/**
 * A depthwise convolution: each channel by its own filter.
 *
 * @param seen offsets of what each pixel sees, from `input`: `rows` by `columns` pixels of all channels, rows `rowStep` bytes apart
 * @param filter `[rows, columns, channels]`; like the input readable for 12 bytes past its end
 * @param placed offsets of where each pixel goes, from `output`
 * @param first, last pixels
 */
export function depthwise(
  input: usize,
  seen: usize,
  rows: i32,
  columns: i32,
  rowStep: usize,
  filter: usize,
  output: usize,
  placed: usize,
  channels: i32,
  first: i32,
  last: i32,
): void {
  for (let p = first; p < last; p += TILE) {
    for (let channel = 0; channel < channels; channel += 4) {
      const at = <usize>channel * FLOAT;
      const lanes = channels - channel;
      depthwiseTile(
        input + at,
        seen,
        rows,
        columns,
        rowStep,
        filter + at,
        output + at,
        placed,
        channels,
        lanes,
        p,
        last - 1,
      );
    }
  }
}

/** Four channels of pixels `p` to `p + 3`, the last one again where there are fewer. */
@inline
function depthwiseTile(
  input: usize,
  seen: usize,
  rows: i32,
  columns: i32,
  rowStep: usize,
  filter: usize,
  output: usize,
  placed: usize,
  channels: i32,
  lanes: i32,
  p: i32,
  lastPixel: i32,
): void {
  const p1 = min(p + 1, lastPixel), p2 = min(p + 2, lastPixel), p3 = min(p + 3, lastPixel);
  let a0 = input + offsetOf(seen, p), a1 = input + offsetOf(seen, p1);
  let a2 = input + offsetOf(seen, p2), a3 = input + offsetOf(seen, p3);
  let c0 = f32x4.splat(0), c1 = c0, c2 = c0, c3 = c0;
  const pixelBytes = <usize>channels * FLOAT;
  const rowBytes = <usize>columns * pixelBytes;
  for (let row = 0; row < rows; row++) {
    for (let k: usize = 0; k < rowBytes; k += pixelBytes) {
      const weight = v128.load(filter);
      filter += pixelBytes;
      c0 = multiplyAdd(v128.load(a0 + k), weight, c0);
      c1 = multiplyAdd(v128.load(a1 + k), weight, c1);
      c2 = multiplyAdd(v128.load(a2 + k), weight, c2);
      c3 = multiplyAdd(v128.load(a3 + k), weight, c3);
    }
    a0 += rowStep;
    a1 += rowStep;
    a2 += rowStep;
    a3 += rowStep;
  }
  storeLanes(output + offsetOf(placed, p), c0, lanes);
  storeLanes(output + offsetOf(placed, p1), c1, lanes);
  storeLanes(output + offsetOf(placed, p2), c2, lanes);
  storeLanes(output + offsetOf(placed, p3), c3, lanes);
}

/** Pixels that are gone through at a time: what four neighbouring groups of channels see of them stays in the first cache. */
const BLOCK: i32 = 128;
/** Taps of a row that are summed at once. */
const TAPS: i32 = 3;

/**
 * Gradient of a depthwise convolution by its filter.
 *
 * @param seen offsets of what each pixel sees, from `input`: `rows` runs of pixels that lie `rowStep` bytes apart
 * @param gradient of the output, `[pixels, channels]`; like the input readable for two pixels past its end
 * @param sums `[channels / 4, rows, columns, 4]`, rounded up; zero at first
 * @param first, last groups of four channels
 */
export function depthwiseFilterGradient(
  input: usize,
  seen: usize,
  rows: i32,
  columns: i32,
  rowStep: usize,
  gradient: usize,
  channels: i32,
  pixels: i32,
  sums: usize,
  first: i32,
  last: i32,
): void {
  const pixelBytes = <usize>channels * FLOAT;
  for (let start = 0; start < pixels; start += BLOCK) {
    const end = min(start + BLOCK, pixels);
    for (let group = first; group < last; group++) {
      const at = <usize>group * VECTOR;
      let to = sums + <usize>(group * rows * columns) * VECTOR;
      for (let row = 0; row < rows; row++) {
        const from = input + at + <usize>row * rowStep;
        for (let column = 0; column < columns; column += TAPS) {
          const taps = min(TAPS, columns - column);
          addProducts(from + <usize>column * pixelBytes, seen, gradient + at, pixelBytes, start, end, to, taps);
          to += <usize>taps * VECTOR;
        }
      }
    }
  }
}

@inline
function addProducts(
  input: usize,
  seen: usize,
  gradient: usize,
  pixelBytes: usize,
  start: i32,
  end: i32,
  sums: usize,
  taps: i32,
): void {
  let c0 = v128.load(sums), c1 = f32x4.splat(0), c2 = c1;
  if (taps > 1) c1 = v128.load(sums, VECTOR);
  if (taps > 2) c2 = v128.load(sums, 2 * VECTOR);
  let b = gradient + <usize>start * pixelBytes;
  for (let p = start; p < end; p++, b += pixelBytes) {
    const at = input + offsetOf(seen, p);
    const slope = v128.load(b);
    c0 = multiplyAdd(v128.load(at), slope, c0);
    c1 = multiplyAdd(v128.load(at + pixelBytes), slope, c1);
    c2 = multiplyAdd(v128.load(at + 2 * pixelBytes), slope, c2);
  }
  v128.store(sums, c0);
  if (taps > 1) v128.store(sums, c1, VECTOR);
  if (taps > 2) v128.store(sums, c2, 2 * VECTOR);
}
