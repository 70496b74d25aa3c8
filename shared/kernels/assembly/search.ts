/**
 * The kernel of the search, over an imported memory. It allocates nothing.
 *
 * Rows lie in groups of four, so that a scan reads one byte after the other: the components of the four by turns, 16 of each
 * (`[stride / 16, 4, 16] int8`), then the sum of each row's components times `OFFSET` (`[4] int32`), then its scale
 * (`[4] float32`).
 */

/** Rows of a group. */
const ROWS: i32 = 4;
/** Parts that are read by turns. */
const PARTS: i32 = 4;
/** Bytes of a vector, and components of a row that lie together. */
const VECTOR: usize = 16;
/** What is added to each component of a query, so that none is negative: relaxed SIMD takes them unsigned, with 7 bits. */
export const OFFSET: i32 = 32;

/** How many rows the last scan has found. */
export let hits: i32 = 0;

/**
 * The rows that can lie near a query: `scale[row] * (dot(row, query) + slack)` at or above a threshold. A row whose scale is NaN
 * is never found. It ends early where there may be no room for what the next group holds.
 *
 * It reads four parts by turns, for one stream alone does not get all that the memory lends a core.
 *
 * @param at the groups of four parts, one part behind the other
 * @param first the group of each part to begin with
 * @param groups of each part
 * @param stride components of a row, a multiple of 32
 * @param query `[stride] uint8`, from 0 to twice `OFFSET`, each with `OFFSET` added: four products then fit in 16 bits
 * @param found `[capacity] int32`, receives the numbers of the rows, counted from `at`
 * @param scores `[capacity] float32`, receives what was compared
 * @param capacity at least 16
 * @returns the group of each part to go on with
 */
export function scan(
  at: usize,
  first: i32,
  groups: i32,
  stride: usize,
  query: usize,
  slack: f32,
  threshold: f32,
  found: usize,
  scores: usize,
  capacity: i32,
): i32 {
  const least = f32x4.splat(threshold), more = f32x4.splat(slack);
  const dotBytes = <usize>ROWS * stride, groupBytes = dotBytes + 2 * VECTOR;
  let count = 0, group = first;
  for (; group < groups && count <= capacity - PARTS * ROWS; group++) {
    for (let number = group; number < PARTS * groups; number += groups) {
      const from = at + <usize>number * groupBytes, beside = from + dotBytes;
      const dots = ASC_FEATURE_RELAXED_SIMD ? dotsRelaxed(from, query, stride) : dotsPlain(from, query, stride);
      const product = f32x4.convert_i32x4_s(i32x4.sub(dots, v128.load(beside)));
      const score = f32x4.mul(f32x4.add(product, more), v128.load(beside, VECTOR));
      const near = i32x4.bitmask(f32x4.ge(score, least));
      if (near === 0) continue;
      for (let lane = 0; lane < ROWS; lane++) {
        if (((near >> lane) & 1) === 0) continue;
        store<i32>(found + (<usize>count << 2), number * ROWS + lane);
        store<f32>(scores + (<usize>count << 2), laneOf(score, lane));
        count++;
      }
    }
  }
  hits = count;
  return group;
}

// @ts-ignore: decorator
@inline
function dotsRelaxed(at: usize, query: usize, stride: usize): v128 {
  let a = i32x4.splat(0), b = a, c = a, d = a;
  for (const end = query + stride; query < end; query += 2 * VECTOR, at += 8 * VECTOR) {
    const x = v128.load(query), y = v128.load(query, VECTOR);
    a = addProducts(a, v128.load(at), x, v128.load(at, 64), y);
    b = addProducts(b, v128.load(at, 16), x, v128.load(at, 80), y);
    c = addProducts(c, v128.load(at, 32), x, v128.load(at, 96), y);
    d = addProducts(d, v128.load(at, 48), x, v128.load(at, 112), y);
  }
  return sums(a, b, c, d);
}

// @ts-ignore: decorator
@inline
function addProducts(sum: v128, first: v128, x: v128, second: v128, y: v128): v128 {
  const pairs = i16x8.add(i16x8.relaxed_dot_i8x16_i7x16_s(first, x), i16x8.relaxed_dot_i8x16_i7x16_s(second, y));
  return i32x4.add(sum, i32x4.extadd_pairwise_i16x8_s(pairs));
}

// @ts-ignore: decorator
@inline
function dotsPlain(at: usize, query: usize, stride: usize): v128 {
  let a = i32x4.splat(0), b = a, c = a, d = a;
  for (const end = query + stride; query < end; query += VECTOR, at += 4 * VECTOR) {
    const low = v128.load_ext<u8>(query), high = v128.load_ext<u8>(query, 8);
    a = addWide(a, at, low, high);
    b = addWide(b, at + 16, low, high);
    c = addWide(c, at + 32, low, high);
    d = addWide(d, at + 48, low, high);
  }
  return sums(a, b, c, d);
}

// @ts-ignore: decorator
@inline
function addWide(sum: v128, at: usize, low: v128, high: v128): v128 {
  const first = i32x4.dot_i16x8_s(v128.load_ext<i8>(at), low);
  return i32x4.add(sum, i32x4.add(first, i32x4.dot_i16x8_s(v128.load_ext<i8>(at, 8), high)));
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
