import { type ConvAttrs, convGeometry } from "../../geometry.ts";
import { allocate, imagesOf, type Info, wasmKernel } from "../heap.ts";
import { filterGradient, packColumns, windowsOf } from "../native/convolve.ts";
import { suitsWinograd, winogradFilterGradient } from "../native/winograd.ts";
import { Workspace } from "../native/workspace.ts";

interface Attrs extends ConvAttrs {
  filterShape: [number, number, number, number];
}

/**
 * Gradient of a convolution with respect to its filter, which the stock backend lacks:
 * `dW[kh,kw,c,o] = sum over n,i,j of x[n, i*s+kh-p, j*s+kw-p, c] * dy[n,i,j,o]`.
 */
export const conv2dBackpropFilter = wasmKernel<{ x: Info; dy: Info }, Attrs>(
  "Conv2DBackpropFilter",
  ({ inputs: { x, dy }, attrs, backend }) => {
    const geometry = convGeometry(x.shape, attrs.filterShape, attrs);
    using work = new Workspace(backend);
    const filter = allocate(backend, attrs.filterShape);
    const { strideHeight: rows, strideWidth: columns, padInfo } = geometry;
    const images = imagesOf(work, x), slopes = imagesOf(work, dy);
    if (suitsWinograd(attrs.filterShape, { rows, columns }, slopes)) {
      const before = { rows: padInfo.top, columns: padInfo.left };
      winogradFilterGradient(work, images, before, slopes, work.address(filter));
      return filter;
    }
    const windows = windowsOf(work, images, geometry);
    const gradient = packColumns(work, work.address(dy), windows.grid.count, geometry.outChannels);
    filterGradient(work, windows, gradient, work.address(filter));
    return filter;
  },
);
