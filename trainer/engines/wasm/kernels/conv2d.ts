import type * as tf from "@tensorflow/tfjs";
import { type ConvAttrs, convGeometry } from "../../geometry.ts";
import { allocate, type Call, imagesOf, type Info, instead, sizeOf } from "../heap.ts";
import { convolve, packColumns, windowsOf } from "../native/convolve.ts";
import { rowsOf } from "../native/grid.ts";
import { convolveWinograd, suitsWinograd } from "../native/winograd.ts";
import { Workspace } from "../native/workspace.ts";

interface Inputs {
  x: Info;
  filter: Info;
}
interface FusedInputs extends Inputs {
  bias?: Info;
}
interface Attrs extends ConvAttrs {
  dilations: [number, number] | number;
}
interface FusedAttrs extends Attrs {
  activation: string;
}

/**
 * Convolution by our kernels.
 *
 * @param stock the backend's own kernel, for what ours do not do: dilated filters
 */
export function conv2d(stock: tf.KernelConfig): tf.KernelConfig {
  return instead<Inputs, Attrs>(
    stock,
    (call) => dilated(call.attrs) ? stock.kernelFunc(call as never) as Info : convolved(call),
  );
}

/**
 * The same under the name by which layers call it, with what they may add to it.
 *
 * @param stock the backend's own kernel, for dilated filters, biases and activations
 */
export function fusedConv2d(stock: tf.KernelConfig): tf.KernelConfig {
  return instead<FusedInputs, FusedAttrs>(stock, (call) => {
    const { inputs: { bias }, attrs } = call;
    const plain = bias === undefined && attrs.activation === "linear" && !dilated(attrs);
    return plain ? convolved(call) : stock.kernelFunc(call as never) as Info;
  });
}

function dilated({ dilations }: Attrs): boolean {
  return [dilations].flat().some((step) => step > 1);
}

function convolved({ inputs: { x, filter }, attrs, backend }: Call<Inputs, ConvAttrs>): Info {
  const geometry = convGeometry(x.shape, filter.shape, attrs);
  using work = new Workspace(backend);
  const y = allocate(backend, geometry.outShape);
  const packed = packColumns(work, work.address(filter), sizeOf(filter) / geometry.outChannels, geometry.outChannels);
  const images = imagesOf(work, x), { strideHeight: rows, strideWidth: columns, padInfo } = geometry;
  if (suitsWinograd(filter.shape, { rows, columns }, imagesOf(work, y))) {
    convolveWinograd(work, images, { rows: padInfo.top, columns: padInfo.left }, packed, imagesOf(work, y));
    return y;
  }
  const windows = windowsOf(work, images, geometry);
  convolve(work, windows, packed, rowsOf(work, work.address(y), windows.grid.count, geometry.outChannels));
  return y;
}
