import { FLOAT, VECTOR } from "./simd";

/**
 * Half-precision floats as float32.
 *
 * @param count rounded up to a multiple of four
 */
export function decodeFloat16(from: usize, to: usize, count: i32): void {
  // Shifted into place, the exponent is too small by the difference of the two biases; that scales subnormal numbers right too.
  const scale = f32x4.splat(<f32>5.192296858534828e33);
  for (let i = 0; i < count; i += 4) {
    const half = v128.load16x4_u(from + (<usize>i << 1));
    const size = i32x4.shl(v128.and(half, i32x4.splat(0x7fff)), 13);
    const sign = i32x4.shl(v128.and(half, i32x4.splat(0x8000)), 16);
    v128.store(to + <usize>i * FLOAT, v128.or(f32x4.mul(size, scale), sign));
  }
}

/**
 * 8-bit codes as float32, `code * scale + least`.
 *
 * @param count rounded up to a multiple of eight
 */
export function decodeUint8(from: usize, to: usize, count: i32, scale: f32, least: f32): void {
  const factor = f32x4.splat(scale), shift = f32x4.splat(least);
  for (let i = 0; i < count; i += 8) {
    const codes = v128.load8x8_u(from + <usize>i);
    const low = f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(codes));
    const high = f32x4.convert_i32x4_u(i32x4.extend_high_i16x8_u(codes));
    const at = to + <usize>i * FLOAT;
    v128.store(at, f32x4.add(f32x4.mul(low, factor), shift));
    v128.store(at, f32x4.add(f32x4.mul(high, factor), shift), VECTOR);
  }
}
