import * as tf from "@tensorflow/tfjs";
import { allocate, floats, type Info, wasmKernel } from "../heap.ts";

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
    const geometry = tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
    const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, padInfo } = geometry;
    const { filterHeight, filterWidth, strideHeight, strideWidth } = geometry;
    const dx = allocate(backend, input.shape);
    const image = floats(backend, input);
    const gradient = floats(backend, dy);
    const to = floats(backend, dx);
    to.fill(0);
    for (let n = 0; n < batchSize; n++) {
      for (let i = 0; i < outHeight; i++) {
        const top = i * strideHeight - padInfo.top;
        for (let j = 0; j < outWidth; j++) {
          const left = j * strideWidth - padInfo.left;
          const source = ((n * outHeight + i) * outWidth + j) * inChannels;
          for (let c = 0; c < inChannels; c++) {
            const greatest = greatestOf(image, n * inHeight * inWidth, top, left, c);
            if (greatest >= 0) to[greatest] += gradient[source + c];
          }
        }
      }
    }
    return dx;

    function greatestOf(values: Float32Array, base: number, top: number, left: number, c: number): number {
      const bottom = Math.min(inHeight, top + filterHeight);
      const right = Math.min(inWidth, left + filterWidth);
      let greatest = -Infinity;
      let at = -1;
      for (let h = Math.max(0, top); h < bottom; h++) {
        for (let w = Math.max(0, left); w < right; w++) {
          const position = (base + h * inWidth + w) * inChannels + c;
          if (values[position] > greatest || at < 0) {
            greatest = values[position];
            at = position;
          }
        }
      }
      return at;
    }
  },
);
