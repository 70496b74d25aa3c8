import type * as tf from "@tensorflow/tfjs";
import { type ConvAttrs, convGeometry } from "../../geometry.ts";
import { allocate, imagesOf, type Info, instead } from "../heap.ts";
import { windowsOf } from "../native/convolve.ts";
import { depthwise, FILTER_SLACK, imageSlack } from "../native/depthwise.ts";
import { rowsOf } from "../native/grid.ts";
import { Workspace } from "../native/workspace.ts";

interface Attrs extends ConvAttrs {
  dilations: [number, number] | number;
}

/**
 * Depthwise convolution by our kernels.
 *
 * @param stock the backend's own kernel, for what ours do not do: dilated filters, and several of them for a channel
 */
export function depthwiseConv2d(stock: tf.KernelConfig): tf.KernelConfig {
  return instead<{ x: Info; filter: Info }, Attrs>(stock, (call) => {
    const { inputs: { x, filter }, attrs, backend } = call;
    const dilated = [attrs.dilations].flat().some((step) => step > 1);
    if (dilated || filter.shape[3] > 1) return stock.kernelFunc(call as never) as Info;
    const geometry = convGeometry(x.shape, filter.shape, attrs, true);
    const { inChannels } = geometry;
    using work = new Workspace(backend);
    const y = allocate(backend, geometry.outShape);
    const windows = windowsOf(work, imagesOf(work, x), geometry, imageSlack(inChannels));
    const placed = rowsOf(work, work.address(y), windows.grid.count, inChannels);
    const taps = work.copy(work.address(filter), filter.shape[0] * filter.shape[1] * inChannels, FILTER_SLACK);
    depthwise(work, windows, taps, inChannels, placed);
    return y;
  });
}
