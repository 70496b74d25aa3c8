import { type ConvAttrs, convGeometry } from "../../geometry.ts";
import { allocate, floats, imagesOf, type Info, wasmKernel } from "../heap.ts";
import { convolve, packExchanged, windowsFrom } from "../native/convolve.ts";
import { UNIT } from "../native/grid.ts";
import { convolveWinograd, suitsWinograd } from "../native/winograd.ts";
import { Workspace } from "../native/workspace.ts";
import { inputGradientParts } from "../phases.ts";

interface Attrs extends ConvAttrs {
  inputShape: [number, number, number, number];
}

/**
 * Gradient of a convolution with respect to its input, in place of the stock backend's plain loop: convolutions of `dy`
 * with the rotated filter, input and output channels exchanged.
 */
export const conv2dBackpropInput = wasmKernel<{ dy: Info; filter: Info }, Attrs>(
  "Conv2DBackpropInput",
  ({ inputs: { dy, filter }, attrs, backend }) => {
    const geometry = convGeometry(attrs.inputShape, filter.shape, attrs);
    using work = new Workspace(backend);
    const dx = allocate(backend, attrs.inputShape);
    const { strideHeight: rows, strideWidth: columns, padInfo } = geometry;
    const [height, width, inputs, outputs] = filter.shape;
    if (suitsWinograd([height, width, outputs, inputs], { rows, columns }, imagesOf(work, dx))) {
      const taps = { first: { rows: 2, columns: 2 }, stride: UNIT, count: { rows: 3, columns: 3 } };
      const packed = packExchanged(work, work.address(filter), filter.shape.slice(1), taps);
      const before = { rows: 2 - padInfo.top, columns: 2 - padInfo.left };
      convolveWinograd(work, imagesOf(work, dy), before, packed, imagesOf(work, dx));
      return dx;
    }
    const { parts, whole } = inputGradientParts(work, imagesOf(work, dy), imagesOf(work, dx), geometry);
    if (!whole) floats(backend, dx).fill(0);
    for (const part of parts) {
      const packed = packExchanged(work, work.address(filter), filter.shape.slice(1), part.taps);
      convolve(work, windowsFrom(part.dy, part.seen, part.taps.count, UNIT), packed, part.placed);
    }
    return dx;
  },
);
