import { type ConvAttrs, convGeometry } from "../geometry.ts";
import { allocate, floats, type Info, wasmKernel } from "../heap.ts";

interface Attrs extends ConvAttrs {
  filterShape: [number, number, number, number];
}

/**
 * Gradient of a depthwise convolution with respect to its filter, which the stock backend lacks. One pass over `x` and
 * `dy` for each row of the filter; memory-bound.
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
