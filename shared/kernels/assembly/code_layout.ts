import { GROUP } from "./codes";
import { FLOAT, VECTOR } from "./simd";

/**
 * Packs rows of a matrix of weights `[rows, columns]` in panels of eight columns: each has four rows of a column side
 * by side. What is not written stays zero.
 *
 * @param matrix bytes that are 128 more than the numbers, which are packed as int8
 * @param allRows of the packed matrix, a multiple of four
 * @param target the first of them to write, a multiple of four
 */
export function packCodes(matrix: usize, panels: usize, rows: i32, columns: i32, allRows: i32, target: i32): void {
  const panelBytes = <usize>allRows * GROUP, stride = <usize>columns;
  // 128 more or less is another first bit.
  const bias = i8x16.splat(-128);
  for (let row = 0; row < rows; row += 4) {
    const count = min(4, rows - row);
    let to = panels + <usize>((target + row) >> 2) * 4 * GROUP;
    let from = matrix + <usize>row * stride;
    for (let column = 0; column < columns; column += <i32>GROUP, to += panelBytes, from += GROUP) {
      if (count === 4 && columns - column >= <i32>GROUP) {
        const r0 = v128.load64_zero(from), r1 = v128.load64_zero(from + stride);
        const r2 = v128.load64_zero(from + 2 * stride), r3 = v128.load64_zero(from + 3 * stride);
        const a = i8x16.shuffle(r0, r1, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        const b = i8x16.shuffle(r2, r3, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        v128.store(to, v128.xor(i16x8.shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11), bias));
        v128.store(to, v128.xor(i16x8.shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15), bias), VECTOR);
        continue;
      }
      const width = min(<i32>GROUP, columns - column);
      for (let i = 0; i < count; i++) {
        for (let j = 0; j < width; j++) {
          store<u8>(to + <usize>(4 * j + i), load<u8>(from + <usize>i * stride + <usize>j) ^ 128);
        }
      }
    }
  }
}

/**
 * Writes `code` around a value in its frame: `clearBorder` for codes.
 *
 * @param rowBytes, left, innerBytes of the frame, and where the value lies in a row of it
 */
export function fillBorder(
  frame: usize,
  rows: i32,
  rowBytes: usize,
  top: i32,
  left: usize,
  height: i32,
  innerBytes: usize,
  code: i32,
): void {
  memory.fill(frame, <u8>code, <usize>top * rowBytes);
  let row = frame + <usize>top * rowBytes;
  for (let i = 0; i < height; i++, row += rowBytes) {
    memory.fill(row, <u8>code, left);
    memory.fill(row + left + innerBytes, <u8>code, rowBytes - left - innerBytes);
  }
  memory.fill(row, <u8>code, <usize>(rows - top - height) * rowBytes);
}

/**
 * The greatest code of each window. Windows lie within the frame.
 *
 * @param channels a multiple of eight
 */
export function maxPoolCodes(
  input: usize,
  inRow: usize,
  rows: i32,
  columns: i32,
  rowStride: i32,
  columnStride: i32,
  output: usize,
  outRow: usize,
  height: i32,
  width: i32,
  channels: i32,
): void {
  const pixel = <usize>channels, run = <usize>columns * pixel;
  for (let i = 0; i < height; i++) {
    let from = input + <usize>(i * rowStride) * inRow, to = output + <usize>i * outRow;
    for (let j = 0; j < width; j++, from += <usize>columnStride * pixel, to += pixel) {
      for (let c: usize = 0; c < pixel; c += GROUP) {
        let greatest = v128.load64_zero(from + c), row = from + c;
        for (let y = 0; y < rows; y++, row += inRow) {
          for (let k: usize = 0; k < run; k += pixel) greatest = i8x16.max_u(greatest, v128.load64_zero(row + k));
        }
        v128.store64_lane(to + c, greatest, 0);
      }
    }
  }
}

/**
 * The mean of each channel's codes over the image, `(sum - count * zero) * factor`, as floats.
 *
 * @param channels a multiple of eight
 */
export function meanCodes(
  input: usize,
  inRow: usize,
  height: i32,
  width: i32,
  channels: i32,
  output: usize,
  zero: i32,
  factor: f32,
): void {
  const pixel = <usize>channels, run = <usize>width * pixel;
  const less = i32x4.splat(height * width * zero), share = f32x4.splat(factor);
  for (let c: usize = 0; c < pixel; c += GROUP) {
    let low = i32x4.splat(0), high = low, row = input + c;
    for (let i = 0; i < height; i++, row += inRow) {
      for (let k: usize = 0; k < run; k += pixel) {
        const codes = v128.load8x8_u(row + k);
        low = i32x4.add(low, i32x4.extend_low_i16x8_s(codes));
        high = i32x4.add(high, i32x4.extend_high_i16x8_s(codes));
      }
    }
    const at = output + c * FLOAT;
    v128.store(at, f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(low, less)), share));
    v128.store(at, f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(high, less)), share), VECTOR);
  }
}
