import * as tf from "@tensorflow/tfjs";
import { allocate, type Info, wasmKernel } from "../heap.ts";
import { Workspace } from "../native/workspace.ts";

interface Attrs {
  filterSize: [number, number] | number;
  strides: [number, number] | number;
  pad: "same" | "valid" | number | tf.backend_util.ExplicitPadding;
  dimRoundingMode?: "floor" | "round" | "ceil";
}

/**
 * Gradient of max pooling: each output's gradient goes to the first of its window's greatest inputs. The stock kernel
 * starts its search above zero, and so loses windows whose values are all zero or less.
 */
export const maxPoolGrad = wasmKernel<{ dy: Info; input: Info }, Attrs>(
  "MaxPoolGrad",
  ({ inputs: { dy, input }, attrs: { filterSize, strides, pad, dimRoundingMode }, backend }) => {
    const shape = input.shape as [number, number, number, number];
    const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, padInfo, ...window } = tf.backend_util
      .computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
    using work = new Workspace(backend);
    const dx = allocate(backend, input.shape);
    const addresses = [input, dy, dx].map((tensor) => work.address(tensor));
    const sizes = [inHeight, inWidth, inChannels, outHeight, outWidth, window.filterHeight, window.filterWidth];
    const places = [window.strideHeight, window.strideWidth, padInfo.top, padInfo.left];
    work.run("maxPoolGradient", [...addresses, ...sizes, ...places], batchSize);
    return dx;
  },
);
