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
