import { FLOAT } from "./simd";

/** Bytes of a pixel as a decoder gives it: RGBA. */
const PIXEL: usize = 4;

/**
 * Scales rows of pixels to another width: every output is the weighted mean of a run of inputs. Sums are of double precision,
 * in the order of the taps, and rounded once.
 *
 * @param rgba `[rows, .., 4]` bytes
 * @param squeezed `[rows, width, 3]` float32, writable for 4 bytes past its end
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
  rowBytes: i32,
  width: i32,
): void {
  let to = squeezed;
  for (let row = 0; row < rows; row++, rgba += <usize>rowBytes) {
    for (let x = 0; x < width; x++, to += 3 * FLOAT) {
      let pixel = rgba + <usize>load<i32>(firsts + <usize>x * FLOAT) * PIXEL;
      let weight = weights + <usize>(x * stride) * 8;
      let redGreen = f64x2.splat(0), blue = f64x2.splat(0);
      for (let count = load<i32>(counts + <usize>x * FLOAT); count > 0; count--, pixel += PIXEL, weight += 8) {
        const shorts = i16x8.extend_low_i8x16_u(v128.load32_zero(pixel));
        const values = i32x4.extend_low_i16x8_u(shorts);
        const factor = v128.load64_splat(weight);
        redGreen = f64x2.add(redGreen, f64x2.mul(f64x2.convert_low_i32x4_u(values), factor));
        const upper = v128.shuffle<i64>(values, values, 1, 1);
        blue = f64x2.add(blue, f64x2.mul(f64x2.convert_low_i32x4_u(upper), factor));
      }
      // The fourth float is overwritten by the next pixel.
      v128.store(
        to,
        v128.shuffle<i64>(f32x4.demote_f64x2_zero(redGreen), f32x4.demote_f64x2_zero(blue), 0, 2),
      );
    }
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
    const run = weights + <usize>(y * stride) * 8;
    for (let i = 0; i < length; i += 4) {
      let value = from + <usize>i * FLOAT;
      let sum = f32x4.splat(0);
      for (let j = 0, weight = run; j < count; j++, value += rowBytes, weight += 8) {
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
