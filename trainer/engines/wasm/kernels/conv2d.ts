import type * as tf from "@tensorflow/tfjs";
import { type ConvAttrs, convGeometry } from "../../geometry.ts";
import { allocate, type Call, imagesOf, type Info } from "../heap.ts";
import { convolve, packColumns, windowsOf } from "../native/convolve.ts";
import { rowsOf } from "../native/grid.ts";
import { Workspace } from "../native/workspace.ts";

interface Attrs extends ConvAttrs {
  dilations: [number, number] | number;
}

/**
 * Convolution by our kernels.
 *
 * @param stock the backend's own kernel, for what ours do not do: dilated filters
 */
export function conv2d(stock: tf.KernelConfig): tf.KernelConfig {
  return { ...stock, kernelFunc: compute as unknown as tf.KernelFunc };

  function compute(call: Call<{ x: Info; filter: Info }, Attrs>): Info {
    const { inputs: { x, filter }, attrs, backend } = call;
    if ([attrs.dilations].flat().some((step) => step > 1)) return stock.kernelFunc(call as never) as Info;
    const geometry = convGeometry(x.shape, filter.shape, attrs);
    using work = new Workspace(backend);
    const y = allocate(backend, geometry.outShape);
    const windows = windowsOf(work, imagesOf(work, x), geometry);
    const taps = filter.shape[0] * filter.shape[1] * filter.shape[2];
    const packed = packColumns(work, work.address(filter), taps, geometry.outChannels);
    convolve(work, windows, packed, rowsOf(work, work.address(y), windows.grid.count, geometry.outChannels));
    return y;
  }
}
