import { bounded, GROUP, GROUP_BYTES, meant, ONES, rescaled, storeEight } from "./codes";
import { FLOAT, offsetOf, VECTOR } from "./simd";

/** Pixels of a tile: with the eight channels of a panel it fills the processor's registers. */
const TILE: i32 = 4;
/** Bytes of four rows of a panel, of which a step takes four codes of a pixel. */
const STEP: usize = 32;

/**
 * A convolution of codes as an implicit matrix product: see `convolveFused`.
 *
 * @param run bytes that each pixel sees in a row, a multiple of four
 * @param filter packed by `packCodes`
 * @param channels a multiple of eight
 * @param constants, bent, least, zero, floats what ends the layer: see `finishSums`
 * @param residual, added another value in codes and offsets of its pixels; 0 for none
 * @param block pixels that are computed for all channels before the next ones
 */
export function convolveCodes(
  input: usize,
  seen: usize,
  rows: i32,
  rowStep: usize,
  run: i32,
  filter: usize,
  output: usize,
  placed: usize,
  channels: i32,
  constants: usize,
  bent: i32,
  least: f32,
  zero: i32,
  floats: i32,
  residual: usize,
  added: usize,
  addedZero: i32,
  addedFactor: f32,
  block: i32,
  pixels: i32,
): void {
  const bytes: usize = floats ? GROUP * FLOAT : GROUP, panelBytes = <usize>(rows * run) * GROUP;
  for (let first = 0; first < pixels; first += block) {
    const last = min(first + block, pixels) - 1;
    let panel = filter, c = constants, to = output, other = residual;
    for (let channel = 0; channel < channels; channel += <i32>GROUP) {
      for (let p = first; p <= last; p += TILE) {
        tile(
          input, seen, rows, rowStep, <usize>run, panel, to, placed, c, bent, least, zero, floats,
          other, added, addedZero, addedFactor, p, last,
        );
      }
      panel += panelBytes;
      c += GROUP_BYTES;
      to += bytes;
      if (other !== 0) other += GROUP;
    }
  }
}

/** Four products of codes and weights in each lane, added. */
@inline
function dot(sum: v128, weights: v128, codes: v128, ones: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(weights, codes), ones));
}

/** Two products in each lane, added. */
@inline
function pair(sum: v128, weights: v128, codes: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(weights, codes));
}

/** Sums of two neighbouring lanes each. */
@inline
function joined(low: v128, high: v128): v128 {
  return i32x4.add(i32x4.shuffle(low, high, 0, 2, 4, 6), i32x4.shuffle(low, high, 1, 3, 5, 7));
}

/** Pixels `p` to `p + 3`, the last one again where there are fewer. */
@inline
function tile(
  input: usize,
  seen: usize,
  rows: i32,
  rowStep: usize,
  run: usize,
  filter: usize,
  output: usize,
  placed: usize,
  constants: usize,
  bent: i32,
  least: f32,
  zero: i32,
  floats: i32,
  residual: usize,
  added: usize,
  addedZero: i32,
  addedFactor: f32,
  p: i32,
  last: i32,
): void {
  const p1 = min(p + 1, last), p2 = min(p + 2, last), p3 = min(p + 3, last);
  let a0 = input + offsetOf(seen, p), a1 = input + offsetOf(seen, p1);
  let a2 = input + offsetOf(seen, p2), a3 = input + offsetOf(seen, p3);
  let c00 = i32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
  if (ASC_FEATURE_RELAXED_SIMD) {
    const ones = v128.load(ONES);
    for (let row = 0; row < rows; row++) {
      for (let k: usize = 0; k < run; k += 4) {
        const b0 = v128.load(filter), b1 = v128.load(filter, VECTOR);
        filter += STEP;
        let a = v128.load32_splat(a0 + k);
        c00 = dot(c00, b0, a, ones);
        c01 = dot(c01, b1, a, ones);
        a = v128.load32_splat(a1 + k);
        c10 = dot(c10, b0, a, ones);
        c11 = dot(c11, b1, a, ones);
        a = v128.load32_splat(a2 + k);
        c20 = dot(c20, b0, a, ones);
        c21 = dot(c21, b1, a, ones);
        a = v128.load32_splat(a3 + k);
        c30 = dot(c30, b0, a, ones);
        c31 = dot(c31, b1, a, ones);
      }
      a0 += rowStep;
      a1 += rowStep;
      a2 += rowStep;
      a3 += rowStep;
    }
  } else {
    // Twice as many registers are needed for sums, so two pixels go after the others.
    let b = filter;
    let d00 = c00, d01 = c00, d10 = c00, d11 = c00;
    for (let row = 0; row < rows; row++, a0 += rowStep, a1 += rowStep) {
      for (let k: usize = 0; k < run; k += 4, b += STEP) {
        const b0 = v128.load8x8_s(b), b1 = v128.load8x8_s(b, 8), b2 = v128.load8x8_s(b, 16), b3 = v128.load8x8_s(b, 24);
        let a = i16x8.extend_low_i8x16_u(v128.load32_splat(a0 + k));
        c00 = pair(c00, b0, a);
        d00 = pair(d00, b1, a);
        c01 = pair(c01, b2, a);
        d01 = pair(d01, b3, a);
        a = i16x8.extend_low_i8x16_u(v128.load32_splat(a1 + k));
        c10 = pair(c10, b0, a);
        d10 = pair(d10, b1, a);
        c11 = pair(c11, b2, a);
        d11 = pair(d11, b3, a);
      }
    }
    c00 = joined(c00, d00);
    c01 = joined(c01, d01);
    c10 = joined(c10, d10);
    c11 = joined(c11, d11);
    b = filter;
    d00 = d01 = d10 = d11 = i32x4.splat(0);
    for (let row = 0; row < rows; row++, a2 += rowStep, a3 += rowStep) {
      for (let k: usize = 0; k < run; k += 4, b += STEP) {
        const b0 = v128.load8x8_s(b), b1 = v128.load8x8_s(b, 8), b2 = v128.load8x8_s(b, 16), b3 = v128.load8x8_s(b, 24);
        let a = i16x8.extend_low_i8x16_u(v128.load32_splat(a2 + k));
        c20 = pair(c20, b0, a);
        d00 = pair(d00, b1, a);
        c21 = pair(c21, b2, a);
        d01 = pair(d01, b3, a);
        a = i16x8.extend_low_i8x16_u(v128.load32_splat(a3 + k));
        c30 = pair(c30, b0, a);
        d10 = pair(d10, b1, a);
        c31 = pair(c31, b2, a);
        d11 = pair(d11, b3, a);
      }
    }
    c20 = joined(c20, d00);
    c21 = joined(c21, d01);
    c30 = joined(c30, d10);
    c31 = joined(c31, d11);
  }
  put(c00, c01, output, placed, constants, bent, least, zero, floats, residual, added, addedZero, addedFactor, p);
  put(c10, c11, output, placed, constants, bent, least, zero, floats, residual, added, addedZero, addedFactor, p1);
  put(c20, c21, output, placed, constants, bent, least, zero, floats, residual, added, addedZero, addedFactor, p2);
  put(c30, c31, output, placed, constants, bent, least, zero, floats, residual, added, addedZero, addedFactor, p3);
}

@inline
function put(
  low: v128,
  high: v128,
  output: usize,
  placed: usize,
  constants: usize,
  bent: i32,
  least: f32,
  zero: i32,
  floats: i32,
  residual: usize,
  added: usize,
  addedZero: i32,
  addedFactor: f32,
  p: i32,
): void {
  let a = rescaled(f32x4.convert_i32x4_s(low), constants);
  let b = rescaled(f32x4.convert_i32x4_s(high), constants + VECTOR);
  if (residual !== 0) {
    const codes = v128.load8x8_u(residual + offsetOf(added, p));
    const z = i32x4.splat(addedZero), factor = f32x4.splat(addedFactor);
    a = f32x4.add(a, meant(codes, false, z, factor));
    b = f32x4.add(b, meant(codes, true, z, factor));
  }
  const lower = f32x4.splat(least);
  a = bounded(a, constants, bent, lower);
  b = bounded(b, constants + VECTOR, bent, lower);
  storeEight(output + offsetOf(placed, p), a, b, zero, floats);
}
