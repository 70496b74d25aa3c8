import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { type ConvAttrs, convGeometry, type Geometry } from "../../geometry.ts";
import { allocate, floats, imagesOf, type Info, wasmKernel } from "../heap.ts";
import { windowsOf } from "../native/convolve.ts";
import { depthwiseFilterGradient, imageSlack } from "../native/depthwise.ts";
import { Workspace } from "../native/workspace.ts";

interface Attrs extends ConvAttrs {
  filterShape: [number, number, number, number];
}

/**
 * Gradient of a depthwise convolution with respect to its filter, which the stock backend lacks. A channel multiplier above 1 goes
 * through a plain loop.
 */
export const depthwiseBackpropFilter = wasmKernel<{ x: Info; dy: Info }, Attrs>(
  "DepthwiseConv2dNativeBackpropFilter",
  ({ inputs: { x, dy }, attrs, backend }) => {
    const geometry = convGeometry(x.shape, attrs.filterShape, attrs, true);
    const filter = allocate(backend, attrs.filterShape);
    const { inChannels, outChannels } = geometry;
    if (outChannels !== inChannels) return withMultiplier(backend, x, dy, geometry, filter);
    using work = new Workspace(backend);
    const slack = imageSlack(inChannels);
    const windows = windowsOf(work, imagesOf(work, x), geometry, slack);
    const gradient = work.copy(work.address(dy), windows.grid.count * inChannels, slack);
    const sums = depthwiseFilterGradient(work, windows, gradient, inChannels);
    floats(backend, filter).set(sums);
    return filter;
  },
);

function withMultiplier(backend: BackendWasm, x: Info, dy: Info, geometry: Geometry, filter: Info): Info {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, padInfo } = geometry;
  const { filterHeight, filterWidth, strideHeight, strideWidth } = geometry;
  const multiplier = outChannels / inChannels;
  const image = floats(backend, x);
  const gradient = floats(backend, dy);
  const sums = floats(backend, filter);
  sums.fill(0);
  for (let n = 0; n < batchSize; n++) {
    for (let i = 0; i < outHeight; i++) {
      for (let j = 0; j < outWidth; j++) {
        const at = ((n * outHeight + i) * outWidth + j) * outChannels;
        for (let row = 0; row < filterHeight; row++) {
          const h = i * strideHeight + row - padInfo.top;
          if (h < 0 || h >= inHeight) continue;
          for (let column = 0; column < filterWidth; column++) {
            const w = j * strideWidth + column - padInfo.left;
            if (w < 0 || w >= inWidth) continue;
            const source = ((n * inHeight + h) * inWidth + w) * inChannels;
            const target = (row * filterWidth + column) * outChannels;
            for (let o = 0; o < outChannels; o++) {
              sums[target + o] += image[source + Math.floor(o / multiplier)] * gradient[at + o];
            }
          }
        }
      }
    }
  }
  return filter;
}
