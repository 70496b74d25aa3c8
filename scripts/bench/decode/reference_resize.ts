import { type FilterTaps, filterTaps } from "../../../shared/image/filter_taps.ts";
import type { Image, Region } from "../../../shared/image/mod.ts";

/**
 * What `resize()` must compute to the bit, in TypeScript.
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
