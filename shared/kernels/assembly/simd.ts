/** Bytes of a float32. */
export const FLOAT: usize = 4;
/** Bytes of a vector of four. */
export const VECTOR: usize = 16;
/** Columns of a panel, in which matrices are packed: two vectors. */
export const PANEL: i32 = 8;
/** Bytes of a row of a panel. */
export const PANEL_ROW: usize = 32;

/** `a * b + c` in each lane: rounded once where the processor can, else twice. */
@inline
export function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(a, b, c) : f32x4.add(f32x4.mul(a, b), c);
}

/** Stores the first `lanes` of a vector, 1 to 4. */
@inline
export function storeLanes(at: usize, value: v128, lanes: i32): void {
  if (lanes >= 4) v128.store(at, value);
  else storeSome(at, value, lanes);
}

function storeSome(at: usize, value: v128, lanes: i32): void {
  store<f32>(at, f32x4.extract_lane(value, 0));
  if (lanes > 1) store<f32>(at, f32x4.extract_lane(value, 1), FLOAT);
  if (lanes > 2) store<f32>(at, f32x4.extract_lane(value, 2), 2 * FLOAT);
}

/** An entry of a table of offsets, bytes. */
@inline
export function offsetOf(table: usize, index: i32): usize {
  return load<u32>(table + <usize>index * FLOAT);
}
