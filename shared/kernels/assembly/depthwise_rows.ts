import { bend, moved } from "./epilogue";
import { FLOAT, multiplyAdd, VECTOR } from "./simd";

/*
 * Depthwise convolution of one image, four neighbouring pixels of a row and four channels at a time: each weight is loaded once for the four, and what
 * they see together once.
 */

const TILE: i32 = 4;

/**
 * A depthwise convolution with what follows it: see `convolveFused`.
 *
 * @param input in a frame; the first output pixel sees its first `rows` by `columns` pixels
 * @param inRow, outRow, addedRow bytes of a row of each frame
 * @param filter `[rows, columns, channels]`
 * @param channels a multiple of four
 */
export function depthwiseFused(
  input: usize,
  inRow: usize,
  rowStride: i32,
  columnStride: i32,
  rows: i32,
  columns: i32,
  filter: usize,
  output: usize,
  outRow: usize,
  height: i32,
  width: i32,
  channels: i32,
  bias: usize,
  slopes: usize,
  residual: usize,
  addedRow: usize,
  least: f32,
  most: f32,
): void {
  const low = f32x4.splat(least), high = f32x4.splat(most);
  const pixel = <usize>channels * FLOAT, step = <usize>columnStride * pixel;
  const kind = width < TILE || columnStride > 2 ? 0 : columns === 3 ? columnStride : columns === 5 ? 2 + columnStride : 0;
  for (let i = 0; i < height; i++) {
    const from = input + <usize>(i * rowStride) * inRow, to = output + <usize>i * outRow;
    const added = moved(residual, <usize>i * addedRow);
    if (kind === 0) {
      for (let j: usize = 0; j < <usize>width; j++) {
        onePixel(from + j * step, inRow, rows, columns, pixel, filter, to + j * pixel, bias, slopes, moved(added, j * pixel), low, high);
      }
      continue;
    }
    for (let j = 0; j < width; j += TILE) {
      // The last tile reaches back over pixels that are done already.
      const x = <usize>min(j, width - TILE), at = to + x * pixel, sum = moved(added, x * pixel);
      const seen = from + x * step;
      if (kind === 1) tile3(seen, inRow, rows, pixel, filter, at, bias, slopes, sum, low, high);
      else if (kind === 2) tile3Strided(seen, inRow, rows, pixel, filter, at, bias, slopes, sum, low, high);
      else if (kind === 3) tile5(seen, inRow, rows, pixel, filter, at, bias, slopes, sum, low, high);
      else tile5Strided(seen, inRow, rows, pixel, filter, at, bias, slopes, sum, low, high);
    }
  }
}

@inline
function onePixel(
  seen: usize,
  inRow: usize,
  rows: i32,
  columns: i32,
  pixel: usize,
  filter: usize,
  to: usize,
  bias: usize,
  slopes: usize,
  added: usize,
  least: v128,
  most: v128,
): void {
  const run = <usize>columns * pixel;
  for (let c: usize = 0; c < pixel; c += VECTOR) {
    let sum = v128.load(bias + c);
    let weight = filter + c, row = seen + c;
    for (let i = 0; i < rows; i++, row += inRow) {
      for (let k: usize = 0; k < run; k += pixel, weight += pixel) {
        sum = multiplyAdd(v128.load(row + k), v128.load(weight), sum);
      }
    }
    end(to + c, sum, moved(slopes, c), moved(added, c), least, most);
  }
}

@inline
function end(to: usize, sum: v128, slopes: usize, added: usize, least: v128, most: v128): void {
  if (added !== 0) sum = f32x4.add(sum, v128.load(added));
  v128.store(to, bend(sum, slopes, least, most));
}

@inline
function three(sum: v128, a: v128, b: v128, c: v128, u: v128, v: v128, w: v128): v128 {
  return multiplyAdd(c, w, multiplyAdd(b, v, multiplyAdd(a, u, sum)));
}

/** Four pixels, 3 columns. */
function tile3(
  seen: usize,
  inRow: usize,
  rows: i32,
  pixel: usize,
  filter: usize,
  to: usize,
  bias: usize,
  slopes: usize,
  added: usize,
  least: v128,
  most: v128,
): void {
  const p2 = pixel * 2, p3 = pixel * 3, p4 = pixel * 4, p5 = pixel * 5;
  for (let c: usize = 0; c < pixel; c += VECTOR) {
    let c0 = v128.load(bias + c), c1 = c0, c2 = c0, c3 = c0;
    let a = seen + c, weight = filter + c;
    for (let i = 0; i < rows; i++, a += inRow) {
      const w0 = v128.load(weight), w1 = v128.load(weight + pixel), w2 = v128.load(weight + p2);
      weight += p3;
      const x0 = v128.load(a), x1 = v128.load(a + pixel), x2 = v128.load(a + p2);
      const x3 = v128.load(a + p3), x4 = v128.load(a + p4), x5 = v128.load(a + p5);
      c0 = three(c0, x0, x1, x2, w0, w1, w2);
      c1 = three(c1, x1, x2, x3, w0, w1, w2);
      c2 = three(c2, x2, x3, x4, w0, w1, w2);
      c3 = three(c3, x3, x4, x5, w0, w1, w2);
    }
    const at = to + c, slope = moved(slopes, c);
    end(at, c0, slope, moved(added, c), least, most);
    end(at + pixel, c1, slope, moved(added, c + pixel), least, most);
    end(at + p2, c2, slope, moved(added, c + p2), least, most);
    end(at + p3, c3, slope, moved(added, c + p3), least, most);
  }
}

/** Four pixels, 3 columns at stride 2. */
function tile3Strided(
  seen: usize,
  inRow: usize,
  rows: i32,
  pixel: usize,
  filter: usize,
  to: usize,
  bias: usize,
  slopes: usize,
  added: usize,
  least: v128,
  most: v128,
): void {
  const p2 = pixel * 2, p3 = pixel * 3, p4 = pixel * 4, p5 = pixel * 5;
  const p6 = pixel * 6, p7 = pixel * 7, p8 = pixel * 8;
  for (let c: usize = 0; c < pixel; c += VECTOR) {
    let c0 = v128.load(bias + c), c1 = c0, c2 = c0, c3 = c0;
    let a = seen + c, weight = filter + c;
    for (let i = 0; i < rows; i++, a += inRow) {
      const w0 = v128.load(weight), w1 = v128.load(weight + pixel), w2 = v128.load(weight + p2);
      weight += p3;
      const x0 = v128.load(a), x1 = v128.load(a + pixel), x2 = v128.load(a + p2);
      const x3 = v128.load(a + p3), x4 = v128.load(a + p4), x5 = v128.load(a + p5);
      const x6 = v128.load(a + p6), x7 = v128.load(a + p7), x8 = v128.load(a + p8);
      c0 = three(c0, x0, x1, x2, w0, w1, w2);
      c1 = three(c1, x2, x3, x4, w0, w1, w2);
      c2 = three(c2, x4, x5, x6, w0, w1, w2);
      c3 = three(c3, x6, x7, x8, w0, w1, w2);
    }
    const at = to + c, slope = moved(slopes, c);
    end(at, c0, slope, moved(added, c), least, most);
    end(at + pixel, c1, slope, moved(added, c + pixel), least, most);
    end(at + p2, c2, slope, moved(added, c + p2), least, most);
    end(at + p3, c3, slope, moved(added, c + p3), least, most);
  }
}

/** Four pixels, 5 columns. */
function tile5(
  seen: usize,
  inRow: usize,
  rows: i32,
  pixel: usize,
  filter: usize,
  to: usize,
  bias: usize,
  slopes: usize,
  added: usize,
  least: v128,
  most: v128,
): void {
  const p2 = pixel * 2, p3 = pixel * 3, p4 = pixel * 4, p5 = pixel * 5;
  const p6 = pixel * 6, p7 = pixel * 7;
  for (let c: usize = 0; c < pixel; c += VECTOR) {
    let c0 = v128.load(bias + c), c1 = c0, c2 = c0, c3 = c0;
    let a = seen + c, weight = filter + c;
    for (let i = 0; i < rows; i++, a += inRow) {
      const w0 = v128.load(weight), w1 = v128.load(weight + pixel), w2 = v128.load(weight + p2);
      const w3 = v128.load(weight + p3), w4 = v128.load(weight + p4);
      weight += p5;
      const x0 = v128.load(a), x1 = v128.load(a + pixel), x2 = v128.load(a + p2);
      const x3 = v128.load(a + p3), x4 = v128.load(a + p4), x5 = v128.load(a + p5);
      const x6 = v128.load(a + p6), x7 = v128.load(a + p7);
      c0 = multiplyAdd(x4, w4, multiplyAdd(x3, w3, three(c0, x0, x1, x2, w0, w1, w2)));
      c1 = multiplyAdd(x5, w4, multiplyAdd(x4, w3, three(c1, x1, x2, x3, w0, w1, w2)));
      c2 = multiplyAdd(x6, w4, multiplyAdd(x5, w3, three(c2, x2, x3, x4, w0, w1, w2)));
      c3 = multiplyAdd(x7, w4, multiplyAdd(x6, w3, three(c3, x3, x4, x5, w0, w1, w2)));
    }
    const at = to + c, slope = moved(slopes, c);
    end(at, c0, slope, moved(added, c), least, most);
    end(at + pixel, c1, slope, moved(added, c + pixel), least, most);
    end(at + p2, c2, slope, moved(added, c + p2), least, most);
    end(at + p3, c3, slope, moved(added, c + p3), least, most);
  }
}

/** Four pixels, 5 columns at stride 2. */
function tile5Strided(
  seen: usize,
  inRow: usize,
  rows: i32,
  pixel: usize,
  filter: usize,
  to: usize,
  bias: usize,
  slopes: usize,
  added: usize,
  least: v128,
  most: v128,
): void {
  const p2 = pixel * 2, p3 = pixel * 3, p4 = pixel * 4, p5 = pixel * 5;
  const p6 = pixel * 6, p7 = pixel * 7, p8 = pixel * 8, p9 = pixel * 9, p10 = pixel * 10;
  for (let c: usize = 0; c < pixel; c += VECTOR) {
    let c0 = v128.load(bias + c), c1 = c0, c2 = c0, c3 = c0;
    let a = seen + c, weight = filter + c;
    for (let i = 0; i < rows; i++, a += inRow) {
      const w0 = v128.load(weight), w1 = v128.load(weight + pixel), w2 = v128.load(weight + p2);
      const w3 = v128.load(weight + p3), w4 = v128.load(weight + p4);
      weight += p5;
      const x0 = v128.load(a), x1 = v128.load(a + pixel), x2 = v128.load(a + p2);
      const x3 = v128.load(a + p3), x4 = v128.load(a + p4), x5 = v128.load(a + p5);
      const x6 = v128.load(a + p6), x7 = v128.load(a + p7), x8 = v128.load(a + p8);
      const x9 = v128.load(a + p9), x10 = v128.load(a + p10);
      c0 = multiplyAdd(x4, w4, multiplyAdd(x3, w3, three(c0, x0, x1, x2, w0, w1, w2)));
      c1 = multiplyAdd(x6, w4, multiplyAdd(x5, w3, three(c1, x2, x3, x4, w0, w1, w2)));
      c2 = multiplyAdd(x8, w4, multiplyAdd(x7, w3, three(c2, x4, x5, x6, w0, w1, w2)));
      c3 = multiplyAdd(x10, w4, multiplyAdd(x9, w3, three(c3, x6, x7, x8, w0, w1, w2)));
    }
    const at = to + c, slope = moved(slopes, c);
    end(at, c0, slope, moved(added, c), least, most);
    end(at + pixel, c1, slope, moved(added, c + pixel), least, most);
    end(at + p2, c2, slope, moved(added, c + p2), least, most);
    end(at + p3, c3, slope, moved(added, c + p3), least, most);
  }
}
