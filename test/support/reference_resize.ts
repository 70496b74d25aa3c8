import type { Image, Region } from "../../shared/image/mod.ts";

/**
 * What `resize()` computes, in TypeScript: scales a region of an image with an antialiasing triangle filter: bilinear when enlarging, an average over the covered
 * pixels when reducing (the filter's support grows with the scale, as in Pillow's `resize(..., BILINEAR, box)`).
 *
 * @returns `[height, width, 3]` 8-bit RGB
 */
export function referenceResize(image: Image, region: Region, height: number, width: number): Uint8Array<ArrayBuffer> {
  const columns = filterTaps(region.x, region.width, image.width, width);
  const rows = filterTaps(region.y, region.height, image.height, height);
  const top = rows.first[0];
  const bottom = rows.first[height - 1] + rows.count[height - 1];
  const squeezed = new Float32Array((bottom - top) * width * 3);
  for (let y = top; y < bottom; y++) {
    squeezeRow(image.data, y * image.width * 4, columns, squeezed, (y - top) * width * 3, width);
  }
  return squeezeColumns(squeezed, top, rows, height, width * 3);
}

/** For every output position, the run of input positions that it averages and their weights, which sum to 1. */
interface FilterTaps {
  first: Int32Array;
  count: Int32Array;
  weights: Float32Array;
  stride: number;
}

function filterTaps(start: number, extent: number, inputSize: number, outputSize: number): FilterTaps {
  const scale = extent / outputSize;
  const support = Math.max(scale, 1);
  const stride = Math.ceil(support) * 2 + 1;
  const taps = {
    first: new Int32Array(outputSize),
    count: new Int32Array(outputSize),
    weights: new Float32Array(outputSize * stride),
    stride,
  };
  for (let i = 0; i < outputSize; i++) {
    const center = start + (i + 0.5) * scale;
    const first = Math.min(Math.max(0, Math.floor(center - support + 0.5)), inputSize - 1);
    const last = Math.max(first + 1, Math.min(inputSize, Math.floor(center + support + 0.5)));
    taps.first[i] = first;
    taps.count[i] = last - first;
    let sum = 0;
    for (let j = first; j < last; j++) {
      const weight = Math.max(0, 1 - Math.abs((j + 0.5 - center) / support));
      taps.weights[i * stride + j - first] = weight;
      sum += weight;
    }
    if (sum === 0) taps.weights[i * stride] = sum = 1;
    for (let j = 0; j < last - first; j++) taps.weights[i * stride + j] /= sum;
  }
  return taps;
}

function squeezeRow(
  rgba: Uint8ClampedArray,
  row: number,
  taps: FilterTaps,
  out: Float32Array,
  at: number,
  width: number,
) {
  for (let x = 0; x < width; x++) {
    let red = 0, green = 0, blue = 0;
    for (let j = 0, p = row + taps.first[x] * 4, w = x * taps.stride; j < taps.count[x]; j++, p += 4, w++) {
      const weight = taps.weights[w];
      red += rgba[p] * weight;
      green += rgba[p + 1] * weight;
      blue += rgba[p + 2] * weight;
    }
    out[at++] = red;
    out[at++] = green;
    out[at++] = blue;
  }
}

function squeezeColumns(rows: Float32Array, top: number, taps: FilterTaps, height: number, rowLength: number) {
  const out = new Uint8Array(height * rowLength);
  const sums = new Float32Array(rowLength);
  for (let y = 0; y < height; y++) {
    sums.fill(0);
    for (let j = 0; j < taps.count[y]; j++) {
      const weight = taps.weights[y * taps.stride + j];
      const row = (taps.first[y] + j - top) * rowLength;
      for (let i = 0; i < rowLength; i++) sums[i] += rows[row + i] * weight;
    }
    for (let i = 0; i < rowLength; i++) out[y * rowLength + i] = Math.min(255, Math.max(0, Math.round(sums[i])));
  }
  return out;
}
