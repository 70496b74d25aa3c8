import { FLOAT, multiplyAdd, offsetOf, PANEL, PANEL_ROW, VECTOR } from "./simd";

/** Weights of a tile that follow one another in a row of the filter, for the eight channels of a panel. */
export const TILE: i32 = 6;
/** Bytes of a tile's sums. */
export const TILE_BYTES: usize = 192;
/** Pixels that are gone through at a time: what tiles see of them stays in the first cache. */
const BLOCK: i32 = 256;

/**
 * Gradient of a convolution by its filter: each weight is the sum, over the output's pixels, of what it meets in the input, times the
 * gradient of the output. The transposed matrix product `a^T b` is the case of one row.
 *
 * @param seen offsets of what each pixel sees, from `input`: `rows` runs that lie `rowStep` bytes apart
 * @param tilesPerRow tiles that cover a run; the input is readable past the last run as far as its last tile reaches
 * @param gradient of the output, `[pixels, channels]`, packed in panels
 * @param sums `[panels, rows, tilesPerRow, 6, 8]`
 * @param first, last tiles of all panels
 */
export function filterGradient(
  input: usize,
  seen: usize,
  rows: i32,
  rowStep: usize,
  tilesPerRow: i32,
  gradient: usize,
  pixels: i32,
  sums: usize,
  first: i32,
  last: i32,
): void {
  const tiles = rows * tilesPerRow;
  const panelBytes = <usize>pixels * PANEL_ROW;
  for (let start = 0; start < pixels; start += BLOCK) {
    const end = min(start + BLOCK, pixels);
    for (let unit = first; unit < last; unit++) {
      const panel = unit / tiles;
      const tile = unit - panel * tiles;
      const row = tile / tilesPerRow;
      const from = input + <usize>row * rowStep + <usize>((tile - row * tilesPerRow) * TILE) * FLOAT;
      addOuterProducts(
        from,
        seen,
        gradient + <usize>panel * panelBytes,
        start,
        end,
        sums + <usize>unit * TILE_BYTES,
        start === 0,
      );
    }
  }
}

/** Adds the outer products of six floats of the input with eight of the gradient; the first ones start from zero. */
export function addOuterProducts(
  input: usize,
  seen: usize,
  gradient: usize,
  start: i32,
  end: i32,
  sums: usize,
  fromZero: bool,
): void {
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00;
  let c30 = c00, c31 = c00, c40 = c00, c41 = c00, c50 = c00, c51 = c00;
  if (!fromZero) {
    c00 = v128.load(sums), c01 = v128.load(sums, VECTOR);
    c10 = v128.load(sums, 2 * VECTOR), c11 = v128.load(sums, 3 * VECTOR);
    c20 = v128.load(sums, 4 * VECTOR), c21 = v128.load(sums, 5 * VECTOR);
    c30 = v128.load(sums, 6 * VECTOR), c31 = v128.load(sums, 7 * VECTOR);
    c40 = v128.load(sums, 8 * VECTOR), c41 = v128.load(sums, 9 * VECTOR);
    c50 = v128.load(sums, 10 * VECTOR), c51 = v128.load(sums, 11 * VECTOR);
  }
  let b = gradient + <usize>start * PANEL_ROW;
  for (let p = start; p < end; p++, b += PANEL_ROW) {
    const at = input + offsetOf(seen, p);
    const b0 = v128.load(b), b1 = v128.load(b, VECTOR);
    let a = v128.load32_splat(at);
    c00 = multiplyAdd(a, b0, c00);
    c01 = multiplyAdd(a, b1, c01);
    a = v128.load32_splat(at, FLOAT);
    c10 = multiplyAdd(a, b0, c10);
    c11 = multiplyAdd(a, b1, c11);
    a = v128.load32_splat(at, 2 * FLOAT);
    c20 = multiplyAdd(a, b0, c20);
    c21 = multiplyAdd(a, b1, c21);
    a = v128.load32_splat(at, 3 * FLOAT);
    c30 = multiplyAdd(a, b0, c30);
    c31 = multiplyAdd(a, b1, c31);
    a = v128.load32_splat(at, 4 * FLOAT);
    c40 = multiplyAdd(a, b0, c40);
    c41 = multiplyAdd(a, b1, c41);
    a = v128.load32_splat(at, 5 * FLOAT);
    c50 = multiplyAdd(a, b0, c50);
    c51 = multiplyAdd(a, b1, c51);
  }
  v128.store(sums, c00);
  v128.store(sums, c01, VECTOR);
  v128.store(sums, c10, 2 * VECTOR);
  v128.store(sums, c11, 3 * VECTOR);
  v128.store(sums, c20, 4 * VECTOR);
  v128.store(sums, c21, 5 * VECTOR);
  v128.store(sums, c30, 6 * VECTOR);
  v128.store(sums, c31, 7 * VECTOR);
  v128.store(sums, c40, 8 * VECTOR);
  v128.store(sums, c41, 9 * VECTOR);
  v128.store(sums, c50, 10 * VECTOR);
  v128.store(sums, c51, 11 * VECTOR);
}

/**
 * Unpacks the sums of `filterGradient` to a filter `[rows, run, channels]`.
 *
 * @param first, last weights of all rows, `rows * run`
 */
export function unpackSums(
  sums: usize,
  filter: usize,
  rows: i32,
  run: i32,
  tilesPerRow: i32,
  channels: i32,
  first: i32,
  last: i32,
): void {
  const panelBytes = <usize>(rows * tilesPerRow) * TILE_BYTES;
  for (let weight = first; weight < last; weight++) {
    const row = weight / run;
    let from = sums + <usize>((row * tilesPerRow) * TILE + weight - row * run) * PANEL_ROW;
    const to = filter + <usize>(weight * channels) * FLOAT;
    for (let channel = 0; channel < channels; channel += PANEL, from += panelBytes) {
      memory.copy(to + <usize>channel * FLOAT, from, <usize>min(PANEL, channels - channel) * FLOAT);
    }
  }
}
