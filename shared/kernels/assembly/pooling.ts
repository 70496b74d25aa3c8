import { FLOAT } from "./simd";

/**
 * Gradient of max pooling: each output's gradient is added to the first of its window's greatest inputs.
 *
 * @param input `[batch, height, width, channels]`, like `dy` readable for 12 bytes past its end
 * @param dy `[batch, outHeight, outWidth, channels]`
 * @param dx like `input`
 * @param first, last images
 */
export function maxPoolGradient(
  input: usize,
  dy: usize,
  dx: usize,
  height: i32,
  width: i32,
  channels: i32,
  outHeight: i32,
  outWidth: i32,
  rows: i32,
  columns: i32,
  rowStride: i32,
  columnStride: i32,
  padTop: i32,
  padLeft: i32,
  first: i32,
  last: i32,
): void {
  const pixelBytes = <usize>channels * FLOAT;
  const imageBytes = <usize>(height * width) * pixelBytes;
  let slope = dy + <usize>(first * outHeight * outWidth) * pixelBytes;
  for (let n = first; n < last; n++) {
    const image = input + <usize>n * imageBytes;
    const target = dx + <usize>n * imageBytes;
    memory.fill(target, 0, imageBytes);
    for (let i = 0; i < outHeight; i++) {
      const top = i * rowStride - padTop;
      const y0 = max(0, top), y1 = min(height, top + rows);
      for (let j = 0; j < outWidth; j++, slope += pixelBytes) {
        const left = j * columnStride - padLeft;
        const x0 = max(0, left), x1 = min(width, left + columns);
        if (y0 < y1 && x0 < x1) addToGreatest(image, target, slope, width, channels, y0, y1, x0, x1);
      }
    }
  }
}

/** Of one window, four channels at a time. */
@inline
function addToGreatest(
  image: usize,
  target: usize,
  slope: usize,
  width: i32,
  channels: i32,
  y0: i32,
  y1: i32,
  x0: i32,
  x1: i32,
): void {
  const pixelBytes = <usize>channels * FLOAT;
  for (let channel = 0; channel < channels; channel += 4) {
    const c = <usize>channel * FLOAT;
    let best = <usize>(y0 * width + x0) * pixelBytes + c;
    let greatest = v128.load(image + best);
    let places = i32x4.splat(<i32>best);
    for (let y = y0; y < y1; y++) {
      let at = <usize>(y * width + x0) * pixelBytes + c;
      for (let x = x0; x < x1; x++, at += pixelBytes) {
        const value = v128.load(image + at);
        const greater = f32x4.gt(value, greatest);
        greatest = v128.bitselect(value, greatest, greater);
        places = v128.bitselect(i32x4.splat(<i32>at), places, greater);
      }
    }
    const lanes = channels - channel;
    addAt(target + <usize>i32x4.extract_lane(places, 0), slope + c);
    if (lanes > 1) addAt(target + <usize>i32x4.extract_lane(places, 1) + FLOAT, slope + c + FLOAT);
    if (lanes > 2) addAt(target + <usize>i32x4.extract_lane(places, 2) + 2 * FLOAT, slope + c + 2 * FLOAT);
    if (lanes > 3) addAt(target + <usize>i32x4.extract_lane(places, 3) + 3 * FLOAT, slope + c + 3 * FLOAT);
  }
}

@inline
function addAt(sum: usize, term: usize): void {
  store<f32>(sum, load<f32>(sum) + load<f32>(term));
}
