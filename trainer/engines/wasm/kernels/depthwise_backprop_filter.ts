import { type ConvAttrs, convGeometry } from "../../geometry.ts";
import { allocate, floats, type Info, wasmKernel } from "../heap.ts";

interface Attrs extends ConvAttrs {
  filterShape: [number, number, number, number];
}

/**
 * Gradient of a depthwise convolution with respect to its filter, which the stock backend lacks. One pass over `x` and
 * `dy` for each row of the filter.
 */
export const depthwiseBackpropFilter = wasmKernel<{ x: Info; dy: Info }, Attrs>(
  "DepthwiseConv2dNativeBackpropFilter",
  ({ inputs: { x, dy }, attrs, backend }) => {
    const geometry = convGeometry(x.shape, attrs.filterShape, attrs, true);
    const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, padInfo } = geometry;
    const { filterHeight, filterWidth, strideHeight, strideWidth } = geometry;
    const multiplier = outChannels / inChannels;
    const filterGradient = allocate(backend, attrs.filterShape);
    const image = floats(backend, x);
    const gradient = floats(backend, dy);
    const sums = floats(backend, filterGradient);
    sums.fill(0);
    for (let n = 0; n < batchSize; n++) {
      for (let i = 0; i < outHeight; i++) {
        for (let row = 0; row < filterHeight; row++) {
          const h = i * strideHeight + row - padInfo.top;
          if (h < 0 || h >= inHeight) continue;
          if (multiplier === 1 && strideWidth === 1 && filterWidth <= WINDOW && padInfo.left < WINDOW) {
            addRow(
              { values: image, at: (n * inHeight + h) * inWidth * inChannels, width: inWidth },
              { values: gradient, at: (n * outHeight + i) * outWidth * outChannels, width: outWidth },
              { values: sums, at: row * filterWidth * outChannels, width: filterWidth },
              inChannels,
              padInfo.left,
            );
            continue;
          }
          for (let j = 0; j < outWidth; j++) {
            const at = ((n * outHeight + i) * outWidth + j) * outChannels;
            for (let column = 0; column < filterWidth; column++) {
              const w = j * strideWidth + column - padInfo.left;
              if (w < 0 || w >= inWidth) continue;
              const source = ((n * inHeight + h) * inWidth + w) * inChannels;
              const target = (row * filterWidth + column) * outChannels;
              if (multiplier === 1) addProducts(sums, target, image, source, gradient, at, inChannels);
              else {
                for (let o = 0; o < outChannels; o++) {
                  sums[target + o] += image[source + Math.floor(o / multiplier)] * gradient[at + o];
                }
              }
            }
          }
        }
      }
    }
    return filterGradient;
  },
);

/** The taps that {@link addRow} holds at once. */
const WINDOW = 5;

/** A row of pixels, or of taps, with all its channels. */
interface Row {
  values: Float32Array;
  at: number;
  width: number;
}

/**
 * Adds what one row of `x` and one row of `dy` give to one row of the filter, at stride 1: channel by channel a window
 * slides over `x`, so that each value is loaded once for all taps.
 */
function addRow(x: Row, dy: Row, sums: Row, channels: number, padLeft: number): void {
  const { values: image, width: inWidth } = x;
  const { values: gradient, width: outWidth } = dy;
  const end = x.at + inWidth * channels;
  for (let c = 0; c < channels; c++) {
    const first = x.at + c;
    const before = (tap: number) => {
      const w = tap - padLeft;
      return w >= 0 && w < inWidth ? image[first + w * channels] : 0;
    };
    let x0 = before(0), x1 = before(1), x2 = before(2), x3 = before(3);
    let s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0;
    let next = first + (WINDOW - 1 - padLeft) * channels, g = dy.at + c;
    for (let j = 0; j < outWidth; j++) {
      const x4 = next < end ? image[next] : 0, slope = gradient[g];
      s0 += x0 * slope;
      s1 += x1 * slope;
      s2 += x2 * slope;
      s3 += x3 * slope;
      s4 += x4 * slope;
      x0 = x1;
      x1 = x2;
      x2 = x3;
      x3 = x4;
      next += channels;
      g += channels;
    }
    let target = sums.at + c;
    for (let tap = 0; tap < sums.width; tap++, target += channels) {
      sums.values[target] += tap === 0 ? s0 : tap === 1 ? s1 : tap === 2 ? s2 : tap === 3 ? s3 : s4;
    }
  }
}

function addProducts(
  sums: Float32Array,
  target: number,
  a: Float32Array,
  atA: number,
  b: Float32Array,
  atB: number,
  length: number,
): void {
  for (let c = 0; c < length; c++) sums[target + c] += a[atA + c] * b[atB + c];
}
