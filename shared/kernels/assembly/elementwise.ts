import { FLOAT, storeLanes } from "./simd";

/**
 * `y = max(x, 0)`; what is not a number stays so.
 *
 * @param first, last elements; `first` a multiple of four
 */
export function relu(x: usize, y: usize, first: i32, last: i32): void {
  const zero = f32x4.splat(0);
  for (let i = first; i < last; i += 4) {
    const at = <usize>i * FLOAT;
    storeLanes(y + at, f32x4.max(v128.load(x + at), zero), last - i);
  }
}

/**
 * Gradient of `y = min(max(x, 0), maximum)`: that of `y` between the bends, else zero.
 *
 * @param first, last elements; `first` a multiple of four
 */
export function reluGradient(dy: usize, y: usize, dx: usize, maximum: f32, first: i32, last: i32): void {
  const zero = f32x4.splat(0), most = f32x4.splat(maximum);
  for (let i = first; i < last; i += 4) {
    const at = <usize>i * FLOAT;
    const value = v128.load(y + at);
    const between = v128.and(f32x4.gt(value, zero), f32x4.lt(value, most));
    storeLanes(dx + at, v128.and(v128.load(dy + at), between), last - i);
  }
}
