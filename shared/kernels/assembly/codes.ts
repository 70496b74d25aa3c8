import { FLOAT, VECTOR } from "./simd";

/*
 * What the kernels of int8 inference share; the arithmetic is that of `shared/int8/plan.ts`, to the bit.
 *
 * A layer's constants lie together, for eight channels after another: multipliers, offsets, upper bounds and slopes, eight
 * floats each.
 */

/** Channels whose constants lie together; codes come in multiples of them. */
export const GROUP: usize = 8;
/** Bytes of their constants. */
export const GROUP_BYTES: usize = 128;
const OFFSETS: usize = 32, BOUNDS: usize = 64, SLOPES: usize = 96;

/** Added to a float of less than 2^22 it rounds it, ties to even, and leaves the number in the last bits. */
const ROUNDING: f32 = 12582912;
const ROUNDING_BITS: i32 = 0x4b400000;

/** Eight ones. Known to the compiler, they would be made anew for each product. */
export const ONES: usize = memory.data<i16>([1, 1, 1, 1, 1, 1, 1, 1]);

/** `sum * multiplier + offset` of four channels, two roundings. */
@inline
export function rescaled(sum: v128, constants: usize): v128 {
  return f32x4.add(f32x4.mul(sum, v128.load(constants)), v128.load(constants, OFFSETS));
}

/** Slopes below zero where there are any, then the bounds. */
@inline
export function bounded(value: v128, constants: usize, bent: i32, least: v128): v128 {
  if (bent) {
    const below = f32x4.mul(value, v128.load(constants, SLOPES));
    value = v128.bitselect(below, value, f32x4.lt(value, f32x4.splat(0)));
  }
  return f32x4.pmin(f32x4.pmax(value, least), v128.load(constants, BOUNDS));
}

/** Four of eight codes, 0 or 4 the first, as numbers: `(code - zero) * factor`. */
@inline
export function meant(codes: v128, upper: bool, zero: v128, factor: v128): v128 {
  const whole = upper ? i32x4.extend_high_i16x8_s(codes) : i32x4.extend_low_i16x8_s(codes);
  return f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(whole, zero)), factor);
}

/** Stores eight numbers between `-zero` and `127 - zero` as codes. */
@inline
export function storeCodes(at: usize, low: v128, high: v128, zero: i32): void {
  const rounding = f32x4.splat(ROUNDING), less = i32x4.splat(ROUNDING_BITS - zero);
  const a = i32x4.sub(f32x4.add(low, rounding), less), b = i32x4.sub(f32x4.add(high, rounding), less);
  const words = i16x8.narrow_i32x4_s(a, b);
  v128.store64_lane(at, i8x16.narrow_i16x8_u(words, words), 0);
}

/** Stores eight numbers as codes, or as they are. */
@inline
export function storeEight(at: usize, low: v128, high: v128, zero: i32, floats: i32): void {
  if (floats) {
    v128.store(at, low);
    v128.store(at, high, VECTOR);
  } else storeCodes(at, low, high, zero);
}

/**
 * Ends a layer whose sums are floats, as those of the first one are.
 *
 * @param sums `[pixels, channels]`
 * @param placed offsets of where each pixel goes, from `output`
 * @param channels a multiple of eight
 */
export function finishSums(
  sums: usize,
  pixels: i32,
  output: usize,
  placed: usize,
  channels: i32,
  constants: usize,
  bent: i32,
  least: f32,
  zero: i32,
  floats: i32,
): void {
  const low = f32x4.splat(least), bytes: usize = floats ? GROUP * FLOAT : GROUP;
  for (let p = 0; p < pixels; p++) {
    let at = output + <usize>load<u32>(placed + <usize>p * FLOAT), c = constants;
    for (let channel = 0; channel < channels; channel += <i32>GROUP, c += GROUP_BYTES, at += bytes) {
      const a = bounded(rescaled(v128.load(sums), c), c, bent, low);
      const b = bounded(rescaled(v128.load(sums, VECTOR), c + VECTOR), c + VECTOR, bent, low);
      storeEight(at, a, b, zero, floats);
      sums += GROUP * FLOAT;
    }
  }
}

/**
 * Adds two values, row by row.
 *
 * @param constants bounds and slopes
 * @param a, b rows `aRow`, `bRow` bytes apart
 */
export function addCodes(
  a: usize,
  aRow: usize,
  aZero: i32,
  aFactor: f32,
  b: usize,
  bRow: usize,
  bZero: i32,
  bFactor: f32,
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
): void {
  const low = f32x4.splat(least), bytes: usize = floats ? GROUP * FLOAT : GROUP;
  const za = i32x4.splat(aZero), fa = f32x4.splat(aFactor), zb = i32x4.splat(bZero), fb = f32x4.splat(bFactor);
  for (let i = 0; i < height; i++) {
    let x = a + <usize>i * aRow, y = b + <usize>i * bRow, at = output + <usize>i * outRow;
    for (let j = 0; j < width; j++) {
      let c = constants;
      for (let channel = 0; channel < channels; channel += <i32>GROUP, c += GROUP_BYTES, at += bytes) {
        const u = v128.load8x8_u(x), v = v128.load8x8_u(y);
        const lower = f32x4.add(meant(u, false, za, fa), meant(v, false, zb, fb));
        const upper = f32x4.add(meant(u, true, za, fa), meant(v, true, zb, fb));
        storeEight(at, bounded(lower, c, bent, low), bounded(upper, c + VECTOR, bent, low), zero, floats);
        x += GROUP;
        y += GROUP;
      }
    }
  }
}
