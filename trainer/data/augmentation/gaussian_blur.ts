/** Past so many standard deviations the kernel is cut off: less than 0.3% of it lies there. */
const CUT_OFF = 3;

/**
 * Blurs with a Gaussian, in place: first along the rows, then along the columns. Pixels past the edge are those at the edge.
 *
 * @param rgb `[height, width, 3]` 8-bit
 * @param sigma standard deviation in pixels
 */
export function gaussianBlur(rgb: Uint8Array, height: number, width: number, sigma: number): void {
  const kernel = halfKernel(sigma);
  const radius = kernel.length - 1;
  if (radius === 0) return;
  const length = 3 * width;
  const rows = new Float32Array(height * length);
  const padded = new Float32Array(length + 6 * radius);
  for (let y = 0; y < height; y++) {
    padRow(rgb, y * length, length, padded, 3 * radius);
    blurRow(padded, kernel, rows, y * length, length);
  }
  const sums = new Float32Array(length);
  for (let y = 0; y < height; y++) {
    sums.fill(0);
    for (let j = -radius; j <= radius; j++) {
      const weight = kernel[Math.abs(j)], row = length * Math.min(height - 1, Math.max(0, y + j));
      for (let x = 0; x < length; x++) sums[x] += weight * rows[row + x];
    }
    for (let x = 0; x < length; x++) rgb[y * length + x] = sums[x] + 0.5;
  }
}

/** The kernel from its middle outwards; the whole of it sums to 1. */
function halfKernel(sigma: number): Float32Array {
  const half = Float64Array.from(
    { length: Math.ceil(CUT_OFF * sigma) + 1 },
    (_, i) => Math.exp(-0.5 * (i / sigma) ** 2),
  );
  const sum = half.reduce((sum, weight, i) => sum + (i === 0 ? weight : 2 * weight), 0);
  return Float32Array.from(half, (weight) => weight / sum);
}

function padRow(rgb: Uint8Array, row: number, length: number, padded: Float32Array, margin: number): void {
  for (let x = 0; x < margin; x++) {
    padded[x] = rgb[row + x % 3];
    padded[margin + length + x] = rgb[row + length - 3 + x % 3];
  }
  for (let x = 0; x < length; x++) padded[margin + x] = rgb[row + x];
}

function blurRow(padded: Float32Array, kernel: Float32Array, out: Float32Array, row: number, length: number): void {
  const margin = 3 * (kernel.length - 1);
  for (let x = 0; x < length; x++) {
    let sum = kernel[0] * padded[margin + x];
    for (let j = 1, right = margin + x + 3, left = margin + x - 3; j < kernel.length; j++, right += 3, left -= 3) {
      sum += kernel[j] * (padded[left] + padded[right]);
    }
    out[row + x] = sum;
  }
}
