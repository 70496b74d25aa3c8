import { FLOAT } from "./simd";

/** Bytes of a pixel as a decoder gives it: RGBA. */
const PIXEL: usize = 4;
/** Bytes of a float64. */
const DOUBLE: usize = 8;

/**
 * Scales rows of pixels to another width: every output is the weighted mean of a run of inputs. Sums are of double precision,
 * in the order of the taps, and rounded once.
 *
 * @param rgba `[rows, .., 4]` bytes
 * @param squeezed `[rows, width, 3]` float32
 * @param firsts for each output the first input, `[width] int32`
 * @param counts how many inputs it is made of, `[width] int32`
 * @param weights of these, `[width, stride]` float64
 */
export function squeezeRows(
  rgba: usize,
  squeezed: usize,
  firsts: usize,
  counts: usize,
  weights: usize,
  stride: i32,
  rows: i32,
  rowBytes: usize,
  width: i32,
): void {
  const squeezedBytes = <usize>(3 * width) * FLOAT;
  for (let row = 0; row < rows; row += 2, rgba += 2 * rowBytes, squeezed += 2 * squeezedBytes) {
    // Of an odd number of rows the last is its own neighbour.
    const isPair = row + 1 < rows;
    squeezePair(
      rgba,
      isPair ? rgba + rowBytes : rgba,
      squeezed,
      isPair ? squeezed + squeezedBytes : squeezed,
      firsts,
      counts,
      weights,
      stride,
      width,
    );
  }
}

/** Two rows, which share their weights: six sums fill three vectors. */
function squeezePair(
  rgba: usize,
  nextRgba: usize,
  squeezed: usize,
  nextSqueezed: usize,
  firsts: usize,
  counts: usize,
  weights: usize,
  stride: i32,
  width: i32,
): void {
  const apart = nextRgba - rgba;
  for (let x = 0; x < width; x++, squeezed += 3 * FLOAT, nextSqueezed += 3 * FLOAT) {
    let pixel = rgba + <usize>load<i32>(firsts + <usize>x * FLOAT) * PIXEL;
    let weight = weights + <usize>(x * stride) * DOUBLE;
    let redGreen = f64x2.splat(0), nextRedGreen = f64x2.splat(0), blues = f64x2.splat(0);
    for (let count = load<i32>(counts + <usize>x * FLOAT); count > 0; count--, pixel += PIXEL, weight += DOUBLE) {
      const pair = v128.load32_lane(pixel + apart, v128.load32_zero(pixel), 1);
      const shorts = i16x8.extend_low_i8x16_u(pair);
      const values = i32x4.extend_low_i16x8_u(shorts), nextValues = i32x4.extend_high_i16x8_u(shorts);
      const factor = v128.load64_splat(weight);
      redGreen = f64x2.add(redGreen, f64x2.mul(f64x2.convert_low_i32x4_u(values), factor));
      nextRedGreen = f64x2.add(nextRedGreen, f64x2.mul(f64x2.convert_low_i32x4_u(nextValues), factor));
      const both = v128.shuffle<i32>(values, nextValues, 2, 6, 2, 6);
      blues = f64x2.add(blues, f64x2.mul(f64x2.convert_low_i32x4_u(both), factor));
    }
    const rounded = f32x4.demote_f64x2_zero(blues);
    v128.store64_lane(squeezed, f32x4.demote_f64x2_zero(redGreen), 0);
    v128.store32_lane(squeezed, rounded, 0, 2 * FLOAT);
    v128.store64_lane(nextSqueezed, f32x4.demote_f64x2_zero(nextRedGreen), 0);
    v128.store32_lane(nextSqueezed, rounded, 1, 2 * FLOAT);
  }
}

/**
 * Scales rows to another height, and lays the pixels out in the order of an upright image. Each product is exact and each sum
 * is rounded to single precision, in the order of the taps.
 *
 * @param squeezed `[.., width, 3]` float32, readable for 12 bytes past its end
 * @param row room for `[width, 3]` float32 and 12 bytes
 * @param pixels 8-bit RGB: that of output `(x, y)` goes to `pixels + x * right + y * down`
 * @param firsts, counts, weights of each output row, as those of `squeezeRows`
 */
export function squeezeColumns(
  squeezed: usize,
  row: usize,
  pixels: usize,
  firsts: usize,
  counts: usize,
  weights: usize,
  stride: i32,
  height: i32,
  width: i32,
  right: i32,
  down: i32,
): void {
  const length = 3 * width;
  const rowBytes = <usize>length * FLOAT;
  for (let y = 0; y < height; y++, pixels += <usize>down) {
    const from = squeezed + <usize>load<i32>(firsts + <usize>y * FLOAT) * rowBytes;
    const count = load<i32>(counts + <usize>y * FLOAT);
    const run = weights + <usize>(y * stride) * DOUBLE;
    for (let i = 0; i < length; i += 4) {
      let value = from + <usize>i * FLOAT;
      let sum = f32x4.splat(0);
      for (let j = 0, weight = run; j < count; j++, value += rowBytes, weight += DOUBLE) {
        sum = addProduct(sum, v128.load(value), v128.load64_splat(weight));
      }
      v128.store(row + <usize>i * FLOAT, sum);
    }
    let to = pixels;
    for (let x = 0, value = row; x < width; x++, value += 3 * FLOAT, to += <usize>right) {
      store<u8>(to, rounded(load<f32>(value)));
      store<u8>(to, rounded(load<f32>(value, FLOAT)), 1);
      store<u8>(to, rounded(load<f32>(value, 2 * FLOAT)), 2);
    }
  }
}

/** `sum + values * factor`, computed in double precision, then rounded. */
@inline
function addProduct(sum: v128, values: v128, factor: v128): v128 {
  const low = f64x2.add(f64x2.promote_low_f32x4(sum), f64x2.mul(f64x2.promote_low_f32x4(values), factor));
  const upperSum = v128.shuffle<i64>(sum, sum, 1, 1), upper = v128.shuffle<i64>(values, values, 1, 1);
  const high = f64x2.add(f64x2.promote_low_f32x4(upperSum), f64x2.mul(f64x2.promote_low_f32x4(upper), factor));
  return v128.shuffle<i64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
}

/** To the nearest grey level, halves up; none is negative. */
@inline
function rounded(value: f32): i32 {
  return min(255, <i32>(<f64>value + 0.5));
}
