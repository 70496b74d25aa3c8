import { FLOAT, multiplyAdd, storeLanes, VECTOR } from "./simd";

/** Rows whose sums are kept in single precision, before they are added up in double precision. */
const BLOCK: i32 = 128;

/**
 * Sums and sums of squares of each channel, block by block of 128 rows.
 *
 * @param x `[rows, channels]`, like `shift` readable for 12 bytes past its end
 * @param shift `[channels]`, subtracted before: near the mean it keeps the squares small
 * @param sums `[blocks, 2, channels]` with the channels rounded up to fours: plain, squared
 * @param first, last blocks
 */
export function channelSums(
  x: usize,
  shift: usize,
  sums: usize,
  rows: i32,
  channels: i32,
  first: i32,
  last: i32,
): void {
  const rowBytes = <usize>channels * FLOAT;
  const sumsBytes = <usize>((channels + 3) >> 2) * VECTOR;
  for (let block = first; block < last; block++) {
    const from = x + <usize>(block * BLOCK) * rowBytes;
    const count = min(BLOCK, rows - block * BLOCK);
    const to = sums + <usize>block * 2 * sumsBytes;
    for (let at: usize = 0; at < sumsBytes; at += VECTOR) {
      const base = v128.load(shift + at);
      let plain = f32x4.splat(0), squared = plain;
      let row = from + at;
      for (let i = 0; i < count; i++, row += rowBytes) {
        const value = f32x4.sub(v128.load(row), base);
        plain = f32x4.add(plain, value);
        squared = multiplyAdd(value, value, squared);
      }
      v128.store(to + at, plain);
      v128.store(to + sumsBytes + at, squared);
    }
  }
}

/**
 * Sums of `dy` and of `dy (x - mean)` of each channel, block by block of 128 rows.
 *
 * @param dy `[rows, channels]`, like `x` and `mean` readable for 12 bytes past its end
 * @param sums `[blocks, 2, channels]` with the channels rounded up to fours: plain, weighted
 * @param first, last blocks
 */
export function gradientSums(
  dy: usize,
  x: usize,
  mean: usize,
  sums: usize,
  rows: i32,
  channels: i32,
  first: i32,
  last: i32,
): void {
  const rowBytes = <usize>channels * FLOAT;
  const sumsBytes = <usize>((channels + 3) >> 2) * VECTOR;
  for (let block = first; block < last; block++) {
    const start = <usize>(block * BLOCK) * rowBytes;
    const count = min(BLOCK, rows - block * BLOCK);
    const to = sums + <usize>block * 2 * sumsBytes;
    for (let at: usize = 0; at < sumsBytes; at += VECTOR) {
      const centre = v128.load(mean + at);
      let plain = f32x4.splat(0), weighted = plain;
      let offset = start + at;
      for (let i = 0; i < count; i++, offset += rowBytes) {
        const slope = v128.load(dy + offset);
        plain = f32x4.add(plain, slope);
        weighted = multiplyAdd(slope, f32x4.sub(v128.load(x + offset), centre), weighted);
      }
      v128.store(to + at, plain);
      v128.store(to + sumsBytes + at, weighted);
    }
  }
}

/**
 * `y = x * scale + offset`, channel by channel.
 *
 * @param x `[rows, channels]`, like `scale` and `offset`, `[channels]`, readable for 12 bytes past its end
 * @param first, last rows
 */
export function scaleChannels(
  x: usize,
  scale: usize,
  offset: usize,
  y: usize,
  channels: i32,
  first: i32,
  last: i32,
): void {
  const rowBytes = <usize>channels * FLOAT;
  for (let row = first; row < last; row++) {
    const start = <usize>row * rowBytes;
    for (let channel = 0; channel < channels; channel += 4) {
      const c = <usize>channel * FLOAT;
      const value = multiplyAdd(v128.load(x + start + c), v128.load(scale + c), v128.load(offset + c));
      storeLanes(y + start + c, value, channels - channel);
    }
  }
}

/**
 * `dx = dy * scale + x * weight + offset`, channel by channel.
 *
 * @param dy `[rows, channels]`, like `x` and the `[channels]` of the others readable for 12 bytes past its end
 * @param first, last rows
 */
export function combineChannels(
  dy: usize,
  scale: usize,
  x: usize,
  weight: usize,
  offset: usize,
  dx: usize,
  channels: i32,
  first: i32,
  last: i32,
): void {
  const rowBytes = <usize>channels * FLOAT;
  for (let row = first; row < last; row++) {
    const start = <usize>row * rowBytes;
    for (let channel = 0; channel < channels; channel += 4) {
      const c = <usize>channel * FLOAT;
      const kept = multiplyAdd(v128.load(x + start + c), v128.load(weight + c), v128.load(offset + c));
      const value = multiplyAdd(v128.load(dy + start + c), v128.load(scale + c), kept);
      storeLanes(dx + start + c, value, channels - channel);
    }
  }
}

/**
 * Gradients of PReLU, `alpha x` below zero: `dx`, and for each block of 128 rows the sums of `dy min(x, 0)` of each channel.
 *
 * @param dy `[rows, channels]`, like `x` and `alpha`, `[channels]`, readable for 12 bytes past its end
 * @param sums `[blocks, channels]` with the channels rounded up to fours
 * @param first, last blocks
 */
export function preluGradient(
  dy: usize,
  x: usize,
  alpha: usize,
  dx: usize,
  sums: usize,
  rows: i32,
  channels: i32,
  first: i32,
  last: i32,
): void {
  const rowBytes = <usize>channels * FLOAT;
  const sumsBytes = <usize>((channels + 3) >> 2) * VECTOR;
  const zero = f32x4.splat(0);
  for (let block = first; block < last; block++) {
    const start = <usize>(block * BLOCK) * rowBytes;
    const count = min(BLOCK, rows - block * BLOCK);
    for (let at: usize = 0; at < sumsBytes; at += VECTOR) {
      const slopeBelow = v128.load(alpha + at);
      const lanes = channels - <i32>(at >> 2);
      let sum = zero;
      let offset = start + at;
      for (let i = 0; i < count; i++, offset += rowBytes) {
        const value = v128.load(x + offset), slope = v128.load(dy + offset);
        sum = multiplyAdd(slope, f32x4.min(value, zero), sum);
        const below = f32x4.mul(slope, slopeBelow);
        storeLanes(dx + offset, v128.bitselect(slope, below, f32x4.gt(value, zero)), lanes);
      }
      v128.store(sums + <usize>block * sumsBytes + at, sum);
    }
  }
}
