import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { type ConvAttrs, convGeometry, type Geometry } from "../../geometry.ts";
import { allocate, floats, free, type Info, run, wasmKernel } from "../heap.ts";
import { inputGradientByPhases } from "../phases.ts";

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
    if (geometry.outChannels !== geometry.inChannels) return withMultiplier(backend, dy, filter, geometry);
    return inputGradientByPhases(backend, dy, geometry, (image, rows, columns, pad) => {
      const part = tapsOf(backend, filter, rows, columns);
      const gradient = run(backend, "DepthwiseConv2dNative", { x: image, filter: part }, {
        strides: [1, 1],
        dilations: [1, 1],
        pad,
      });
      free(backend, part);
      return gradient;
    });
  },
);

/** The given taps of a filter `[h, w, channels, 1]`. */
function tapsOf(backend: BackendWasm, filter: Info, rows: number[], columns: number[]): Info {
  const [, width, channels] = filter.shape;
  const part = allocate(backend, [rows.length, columns.length, channels, 1]);
  const from = floats(backend, filter);
  const to = floats(backend, part);
  let target = 0;
  for (const row of rows) {
    for (const column of columns) {
      const source = (row * width + column) * channels;
      for (let c = 0; c < channels; c++) to[target++] = from[source + c];
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
