import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { type ConvAttrs, convGeometry, type Geometry } from "../../geometry.ts";
import { allocate, floats, imagesOf, type Info, wasmKernel } from "../heap.ts";
import { type Taps, windowsFrom } from "../native/convolve.ts";
import { depthwise, FILTER_SLACK, imageSlack } from "../native/depthwise.ts";
import { UNIT } from "../native/grid.ts";
import { type Address, Workspace } from "../native/workspace.ts";
import { inputGradientParts } from "../phases.ts";

interface Attrs extends ConvAttrs {
  inputShape: [number, number, number, number];
}

/**
 * Gradient of a depthwise convolution with respect to its input, which the stock backend lacks: depthwise convolutions of
 * `dy` with the reversed filter. A channel multiplier above 1 goes through a plain loop.
 */
export const depthwiseBackpropInput = wasmKernel<{ dy: Info; filter: Info }, Attrs>(
  "DepthwiseConv2dNativeBackpropInput",
  ({ inputs: { dy, filter }, attrs, backend }) => {
    const geometry = convGeometry(attrs.inputShape, filter.shape, attrs, true);
    const { inChannels, outChannels } = geometry;
    if (outChannels !== inChannels) return withMultiplier(backend, dy, filter, geometry);
    using work = new Workspace(backend);
    const dx = allocate(backend, attrs.inputShape);
    const [from, to] = [dy, dx].map((tensor) => imagesOf(work, tensor));
    const { parts, whole } = inputGradientParts(work, from, to, geometry, imageSlack(inChannels));
    if (!whole) floats(backend, dx).fill(0);
    for (const part of parts) {
      const taps = reversed(work, work.address(filter), filter.shape, part.taps);
      depthwise(work, windowsFrom(part.dy, part.seen, part.taps.count, UNIT), taps, inChannels, part.placed);
    }
    return dx;
  },
);

/** The given taps of a filter `[.., width, channels, 1]`. */
function reversed(work: Workspace, filter: Address, [, width, channels]: number[], taps: Taps): Address {
  const { first, stride, count } = taps;
  const part = work.take(count.rows * count.columns * channels + FILTER_SLACK);
  for (let i = 0; i < count.rows; i++) {
    for (let j = 0; j < count.columns; j++) {
      const tap = (first.rows - i * stride.rows) * width + first.columns - j * stride.columns;
      const source = filter + tap * channels * Float32Array.BYTES_PER_ELEMENT;
      const target = part + (i * count.columns + j) * channels * Float32Array.BYTES_PER_ELEMENT;
      work.floats(target, channels).set(work.floats(source, channels));
    }
  }
  return part;
}

function withMultiplier(backend: BackendWasm, dy: Info, filter: Info, geometry: Geometry): Info {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, padInfo } = geometry;
  const { filterHeight, filterWidth, strideHeight, strideWidth } = geometry;
  const multiplier = outChannels / inChannels;
  const dx = allocate(backend, [batchSize, inHeight, inWidth, inChannels]);
  const gradient = floats(backend, dy);
  const weights = floats(backend, filter);
  const to = floats(backend, dx);
  to.fill(0);
  for (let n = 0; n < batchSize; n++) {
    for (let i = 0; i < outHeight; i++) {
      for (let j = 0; j < outWidth; j++) {
        const source = ((n * outHeight + i) * outWidth + j) * outChannels;
        for (let row = 0; row < filterHeight; row++) {
          const h = i * strideHeight + row - padInfo.top;
          if (h < 0 || h >= inHeight) continue;
          for (let column = 0; column < filterWidth; column++) {
            const w = j * strideWidth + column - padInfo.left;
            if (w < 0 || w >= inWidth) continue;
            const target = ((n * inHeight + h) * inWidth + w) * inChannels;
            const tap = (row * filterWidth + column) * outChannels;
            for (let o = 0; o < outChannels; o++) {
              to[target + Math.floor(o / multiplier)] += gradient[source + o] * weights[tap + o];
            }
          }
        }
      }
    }
  }
  return dx;
}
