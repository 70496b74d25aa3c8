import { FLOAT, PANEL, PANEL_ROW, VECTOR } from "./simd";

/**
 * Writes where the pixels of images lie: a table of offsets in bytes, image by image, row by row.
 *
 * @param first, last images
 */
export function tabulate(
  table: usize,
  height: i32,
  width: i32,
  imageStep: usize,
  rowStep: usize,
  columnStep: usize,
  first: i32,
  last: i32,
): void {
  let at = table + <usize>(first * height * width) * FLOAT;
  for (let n = first; n < last; n++) {
    for (let i = 0; i < height; i++) {
      let offset = <usize>n * imageStep + <usize>i * rowStep;
      for (let j = 0; j < width; j++) {
        store<u32>(at, <u32>offset);
        at += FLOAT;
        offset += columnStep;
      }
    }
  }
}

/**
 * Copies images `[.., height, width, channels]` into a frame of zeros `[.., frameHeight, frameWidth, channels]`. A negative `top` or
 * `left` cuts rows or columns off.
 *
 * @param rowBytes of `width * channels` floats
 * @param first, last rows of all frames
 */
export function frame(
  images: usize,
  frames: usize,
  height: i32,
  rowBytes: i32,
  frameHeight: i32,
  frameRowBytes: i32,
  top: i32,
  leftBytes: i32,
  first: i32,
  last: i32,
): void {
  const skipped = max(0, -leftBytes);
  const left = max(0, leftBytes);
  const copied = max(0, min(rowBytes - skipped, frameRowBytes - left));
  const right = frameRowBytes - left - copied;
  for (let row = first; row < last; row++) {
    const n = row / frameHeight;
    const source = row - n * frameHeight - top;
    const to = frames + <usize>row * <usize>frameRowBytes;
    if (source < 0 || source >= height) {
      memory.fill(to, 0, frameRowBytes);
      continue;
    }
    const from = images + <usize>(n * height + source) * <usize>rowBytes + <usize>skipped;
    if (left > 0) memory.fill(to, 0, left);
    memory.copy(to + <usize>left, from, copied);
    if (right > 0) memory.fill(to + <usize>(left + copied), 0, right);
  }
}

/** Rows that are packed at a time: what they take stays in the first cache. */
const PACKED_ROWS: i32 = 32;

/**
 * Packs a matrix `[rows, columns]` in panels of eight columns, each `[rows, 8]`, the last one filled up with zeros.
 *
 * @param first, last rows
 */
export function packColumns(matrix: usize, panels: usize, rows: i32, columns: i32, first: i32, last: i32): void {
  const rowBytes = <usize>columns * FLOAT;
  const panelBytes = <usize>rows * PANEL_ROW;
  for (let start = first; start < last; start += PACKED_ROWS) {
    const end = min(start + PACKED_ROWS, last);
    let to = panels;
    for (let column = 0; column < columns; column += PANEL, to += panelBytes) {
      const width = columns - column;
      let from = matrix + <usize>start * rowBytes + <usize>column * FLOAT;
      for (let row = start; row < end; row++, from += rowBytes) {
        const at = to + <usize>row * PANEL_ROW;
        if (width >= PANEL) {
          v128.store(at, v128.load(from));
          v128.store(at, v128.load(from, VECTOR), VECTOR);
        } else copyFilled(from, at, width);
      }
    }
  }
}

function copyFilled(from: usize, to: usize, count: i32): void {
  for (let i = 0; i < PANEL; i++) {
    store<f32>(to + <usize>i * FLOAT, i < count ? load<f32>(from + <usize>i * FLOAT) : 0);
  }
}

/**
 * Packs some taps of a filter `[.., width, inputs, outputs]`, with its two kinds of channels exchanged, as `packColumns` would pack the matrix
 * `[taps * outputs, inputs]`: of the rows `firstRow`, `firstRow - rowStride` and so on the columns `firstColumn`, `firstColumn - columnStride`
 * and so on.
 *
 * @param first, last taps times panels
 */
export function packExchanged(
  filter: usize,
  panels: usize,
  width: i32,
  inputs: i32,
  outputs: i32,
  rows: i32,
  firstRow: i32,
  rowStride: i32,
  columns: i32,
  firstColumn: i32,
  columnStride: i32,
  first: i32,
  last: i32,
): void {
  const taps = rows * columns;
  const inputBytes = <usize>outputs * FLOAT;
  for (let unit = first; unit < last; unit++) {
    const panel = unit / taps;
    const tap = unit - panel * taps;
    const i = tap / columns;
    const row = firstRow - i * rowStride;
    const column = firstColumn - (tap - i * columns) * columnStride;
    const input = panel * PANEL;
    const from = filter + <usize>((row * width + column) * inputs + input) * inputBytes;
    const to = panels + <usize>(unit * outputs) * PANEL_ROW;
    const filled = min(PANEL, inputs - input);
    let output = 0;
    if (filled === PANEL) {
      for (; output + 4 <= outputs; output += 4) {
        const at = to + <usize>output * PANEL_ROW;
        const source = from + <usize>output * FLOAT;
        transpose4(source, inputBytes, at);
        transpose4(source + 4 * inputBytes, inputBytes, at + VECTOR);
      }
    }
    for (; output < outputs; output++) {
      const at = to + <usize>output * PANEL_ROW;
      const source = from + <usize>output * FLOAT;
      for (let k = 0; k < PANEL; k++) {
        store<f32>(at + <usize>k * FLOAT, k < filled ? load<f32>(source + <usize>k * inputBytes) : 0);
      }
    }
  }
}

/** Writes four floats of each of four rows as the first half of four rows of a panel. */
@inline
function transpose4(from: usize, rowBytes: usize, to: usize): void {
  const a = v128.load(from), b = v128.load(from + rowBytes);
  const c = v128.load(from + 2 * rowBytes), d = v128.load(from + 3 * rowBytes);
  const ab0 = v128.shuffle<f32>(a, b, 0, 4, 1, 5), ab1 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const cd0 = v128.shuffle<f32>(c, d, 0, 4, 1, 5), cd1 = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f64>(ab0, cd0, 0, 2));
  v128.store(to, v128.shuffle<f64>(ab0, cd0, 1, 3), PANEL_ROW);
  v128.store(to, v128.shuffle<f64>(ab1, cd1, 0, 2), 2 * PANEL_ROW);
  v128.store(to, v128.shuffle<f64>(ab1, cd1, 1, 3), 3 * PANEL_ROW);
}

/**
 * Writes zeros around an image `[height, width, channels]` that lies in a frame.
 *
 * @param pixel bytes
 */
export function clearBorder(
  frame: usize,
  frameHeight: i32,
  frameWidth: i32,
  pixel: usize,
  top: i32,
  left: i32,
  height: i32,
  width: i32,
): void {
  const row = <usize>frameWidth * pixel, before = <usize>left * pixel;
  const gap = <usize>(frameWidth - width) * pixel, image = <usize>width * pixel;
  let at = frame + <usize>top * row + before;
  memory.fill(frame, 0, at - frame);
  for (let i = 1; i < height; i++, at += row) memory.fill(at + image, 0, gap);
  at += image;
  memory.fill(at, 0, frame + <usize>frameHeight * row - at);
}
