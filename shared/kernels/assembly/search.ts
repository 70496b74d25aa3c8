/** The kernel of the search, over an imported memory. It allocates nothing. */

/** Bytes that are read at once. */
const STEP: usize = 16;
/** Rows whose sums are made together. */
const ROWS: i32 = 4;

/**
 * The rows that lie near a query: `scale[row] * dot(row, query)` at or above a threshold. A row whose scale is NaN is never
 * found.
 *
 * @param rows `[count, stride] int8`
 * @param scales `[count] float32`
 * @param count a multiple of 4
 * @param stride components of a row, a multiple of 16; at most 8,192, so that no sum overflows
 * @param query `[stride] int16`, magnitudes at most 8,191
 * @param found `[count] int32`, receives the numbers of the rows, ascending
 * @param scores `[count] float32`, receives what was compared
 * @returns how many were found
 */
export function scan(
  rows: usize,
  scales: usize,
  count: i32,
  stride: usize,
  query: usize,
  threshold: f32,
  found: usize,
  scores: usize,
): i32 {
  const least = f32x4.splat(threshold);
  let hits: usize = 0;
  for (let row = 0; row < count; row += ROWS, rows += <usize>ROWS * stride) {
    let a = i32x4.splat(0), b = a, c = a, d = a;
    for (let at: usize = 0; at < stride; at += STEP) {
      const low = v128.load(query + 2 * at), high = v128.load(query + 2 * at, 16);
      let from = rows + at;
      a = add(a, from, low, high);
      b = add(b, from += stride, low, high);
      c = add(c, from += stride, low, high);
      d = add(d, from += stride, low, high);
    }
    const score = f32x4.mul(f32x4.convert_i32x4_s(sums(a, b, c, d)), v128.load(scales + (<usize>row << 2)));
    const near = i32x4.bitmask(f32x4.ge(score, least));
    if (near === 0) continue;
    for (let lane = 0; lane < ROWS; lane++) {
      if (((near >> lane) & 1) === 0) continue;
      store<i32>(found + (hits << 2), row + lane);
      store<f32>(scores + (hits << 2), laneOf(score, lane));
      hits++;
    }
  }
  return <i32>hits;
}

// @ts-ignore: decorator
@inline
function add(sum: v128, from: usize, low: v128, high: v128): v128 {
  const first = i32x4.dot_i16x8_s(v128.load_ext<i8>(from), low);
  return i32x4.add(i32x4.add(sum, first), i32x4.dot_i16x8_s(v128.load_ext<i8>(from, 8), high));
}

/** The sum of each of four vectors, in their order. */
// @ts-ignore: decorator
@inline
function sums(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(v128.shuffle<i32>(a, b, 0, 4, 2, 6), v128.shuffle<i32>(a, b, 1, 5, 3, 7));
  const cd = i32x4.add(v128.shuffle<i32>(c, d, 0, 4, 2, 6), v128.shuffle<i32>(c, d, 1, 5, 3, 7));
  return i32x4.add(v128.shuffle<i32>(ab, cd, 0, 1, 4, 5), v128.shuffle<i32>(ab, cd, 2, 3, 6, 7));
}

// @ts-ignore: decorator
@inline
function laneOf(score: v128, lane: i32): f32 {
  if (lane === 0) return f32x4.extract_lane(score, 0);
  if (lane === 1) return f32x4.extract_lane(score, 1);
  if (lane === 2) return f32x4.extract_lane(score, 2);
  return f32x4.extract_lane(score, 3);
}
