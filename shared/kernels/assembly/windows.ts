import { FLOAT, VECTOR } from "./simd";

/**
 * The greatest value, or the mean, of each window of one image, as far as it lies within the image.
 *
 * @param input the image's first pixel, rows `inRow` bytes apart
 * @param output the first pixel, rows `outRow` bytes apart
 * @param channels a multiple of four
 * @param mean 0 for the greatest
 */
export function pool(
  input: usize,
  inRow: usize,
  height: i32,
  width: i32,
  rows: i32,
  columns: i32,
  rowStride: i32,
  columnStride: i32,
  padTop: i32,
  padLeft: i32,
  output: usize,
  outRow: usize,
  outHeight: i32,
  outWidth: i32,
  channels: i32,
  mean: i32,
): void {
  const pixel = <usize>channels * FLOAT;
  for (let i = 0; i < outHeight; i++) {
    const top = i * rowStride - padTop, y0 = max(0, top), y1 = min(height, top + rows);
    let to = output + <usize>i * outRow;
    for (let j = 0; j < outWidth; j++, to += pixel) {
      const left = j * columnStride - padLeft, x0 = max(0, left), x1 = min(width, left + columns);
      const from = input + <usize>y0 * inRow + <usize>x0 * pixel;
      if (mean) meanOf(from, inRow, y1 - y0, <usize>(x1 - x0) * pixel, pixel, to);
      else greatestOf(from, inRow, y1 - y0, <usize>(x1 - x0) * pixel, pixel, to);
    }
  }
}

@inline
function greatestOf(from: usize, inRow: usize, rows: i32, run: usize, pixel: usize, to: usize): void {
  for (let c: usize = 0; c < pixel; c += VECTOR) {
    let greatest = v128.load(from + c), row = from + c;
    for (let i = 0; i < rows; i++, row += inRow) {
      for (let k: usize = 0; k < run; k += pixel) greatest = f32x4.pmax(greatest, v128.load(row + k));
    }
    v128.store(to + c, greatest);
  }
}

@inline
function meanOf(from: usize, inRow: usize, rows: i32, run: usize, pixel: usize, to: usize): void {
  const share = f32x4.splat(<f32>1 / <f32>(rows * <i32>(run / pixel)));
  for (let c: usize = 0; c < pixel; c += VECTOR) {
    let sum = f32x4.splat(0), row = from + c;
    for (let i = 0; i < rows; i++, row += inRow) {
      for (let k: usize = 0; k < run; k += pixel) sum = f32x4.add(sum, v128.load(row + k));
    }
    v128.store(to + c, f32x4.mul(sum, share));
  }
}
