import { bounded, GROUP, GROUP_BYTES, meant, rescaled, storeEight } from "./codes";
import { FLOAT, offsetOf, VECTOR } from "./simd";

/** Neighbouring pixels of a row: each weight is loaded once for them. */
const TILE: i32 = 4;

/**
 * A depthwise convolution of codes, two of the pixels that a window sees at a time.
 *
 * @param input in a frame; the first output pixel sees what lies at `taps` from it, others from their own places
 * @param taps offsets of what a window sees, an even number of them
 * @param filter for each two of them, weights `[channels, 2] int8`
 * @param channels a multiple of eight
 * @param constants, bent, least, zero, floats what ends the layer: see `finishSums`
 * @param residual, addedRow another value in codes, 0 for none
 */
export function depthwiseCodes(
  input: usize,
  inRow: usize,
  rowStride: i32,
  columnStride: i32,
  taps: usize,
  pairs: i32,
  filter: usize,
  output: usize,
  outRow: usize,
  height: i32,
  width: i32,
  channels: i32,
  constants: usize,
  bent: i32,
  least: f32,
  zero: i32,
  floats: i32,
  residual: usize,
  addedRow: usize,
  addedZero: i32,
  addedFactor: f32,
): void {
  const pixel = <usize>channels, step = <usize>columnStride * pixel, outStep: usize = floats ? pixel * FLOAT : pixel;
  const outBytes: usize = floats ? FLOAT : 1;
  for (let i = 0; i < height; i++) {
    const from = input + <usize>(i * rowStride) * inRow, to = output + <usize>i * outRow;
    for (let j = 0; j < width; j += TILE) {
      // Where fewer are left, the last pixel is computed again in their stead.
      const j1 = <usize>min(j + 1, width - 1), j2 = <usize>min(j + 2, width - 1), j3 = <usize>min(j + 3, width - 1);
      const seen = from + <usize>j * step, s1 = (j1 - j) * step, s2 = (j2 - j) * step, s3 = (j3 - j) * step;
      for (let c: usize = 0; c < pixel; c += GROUP) {
        let c00 = i32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
        let weight = filter + 2 * c;
        for (let t = 0; t < pairs; t++, weight += 2 * pixel) {
          const w0 = v128.load8x8_s(weight), w1 = v128.load8x8_s(weight, GROUP);
          const u = seen + c + offsetOf(taps, 2 * t), v = seen + c + offsetOf(taps, 2 * t + 1);
          let x = v128.load8x8_u(u), y = v128.load8x8_u(v);
          c00 = products(c00, x, y, w0, false);
          c01 = products(c01, x, y, w1, true);
          x = v128.load8x8_u(u + s1), y = v128.load8x8_u(v + s1);
          c10 = products(c10, x, y, w0, false);
          c11 = products(c11, x, y, w1, true);
          x = v128.load8x8_u(u + s2), y = v128.load8x8_u(v + s2);
          c20 = products(c20, x, y, w0, false);
          c21 = products(c21, x, y, w1, true);
          x = v128.load8x8_u(u + s3), y = v128.load8x8_u(v + s3);
          c30 = products(c30, x, y, w0, false);
          c31 = products(c31, x, y, w1, true);
        }
        const at = to + c * outBytes, group = constants + (c / GROUP) * GROUP_BYTES;
        const added = residual === 0 ? <usize>0 : residual + <usize>i * addedRow + c;
        put(c00, c01, at + j * outStep, group, bent, least, zero, floats, added, j * pixel, addedZero, addedFactor);
        put(c10, c11, at + j1 * outStep, group, bent, least, zero, floats, added, j1 * pixel, addedZero, addedFactor);
        put(c20, c21, at + j2 * outStep, group, bent, least, zero, floats, added, j2 * pixel, addedZero, addedFactor);
        put(c30, c31, at + j3 * outStep, group, bent, least, zero, floats, added, j3 * pixel, addedZero, addedFactor);
      }
    }
  }
}

/** What four channels of two pixels add to a sum. */
@inline
function products(sum: v128, x: v128, y: v128, weights: v128, upper: bool): v128 {
  const both = upper
    ? i16x8.shuffle(x, y, 4, 12, 5, 13, 6, 14, 7, 15)
    : i16x8.shuffle(x, y, 0, 8, 1, 9, 2, 10, 3, 11);
  return i32x4.add(sum, i32x4.dot_i16x8_s(both, weights));
}

@inline
function put(
  low: v128,
  high: v128,
  at: usize,
  constants: usize,
  bent: i32,
  least: f32,
  zero: i32,
  floats: i32,
  added: usize,
  offset: usize,
  addedZero: i32,
  addedFactor: f32,
): void {
  let a = rescaled(f32x4.convert_i32x4_s(low), constants);
  let b = rescaled(f32x4.convert_i32x4_s(high), constants + VECTOR);
  if (added !== 0) {
    const codes = v128.load8x8_u(added + offset);
    const z = i32x4.splat(addedZero), factor = f32x4.splat(addedFactor);
    a = f32x4.add(a, meant(codes, false, z, factor));
    b = f32x4.add(b, meant(codes, true, z, factor));
  }
  const lower = f32x4.splat(least);
  storeEight(at, bounded(a, constants, bent, lower), bounded(b, constants + VECTOR, bent, lower), zero, floats);
}
