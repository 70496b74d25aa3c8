/**
 * Ends a layer in each lane: slopes below zero where there are any, then the bounds. What is not a number stays so.
 *
 * @param slopes where those of these four channels lie, or 0
 */
@inline
export function bend(x: v128, slopes: usize, least: v128, most: v128): v128 {
  if (slopes !== 0) {
    x = v128.bitselect(x, f32x4.mul(x, v128.load(slopes)), f32x4.ge(x, f32x4.splat(0)));
  }
  return f32x4.pmin(f32x4.pmax(x, least), most);
}

/** Four floats, or zeros where there is no address. */
@inline
export function loadOrZero(at: usize): v128 {
  return at === 0 ? f32x4.splat(0) : v128.load(at);
}

/** An address moved on, or none. */
@inline
export function moved(at: usize, bytes: usize): usize {
  return at === 0 ? 0 : at + bytes;
}
