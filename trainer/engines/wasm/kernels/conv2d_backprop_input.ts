import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { type ConvAttrs, convGeometry } from "../../geometry.ts";
import { allocate, floats, free, type Info, run, wasmKernel } from "../heap.ts";
import { inputGradientByPhases } from "../phases.ts";

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
    return inputGradientByPhases(backend, dy, geometry, (image, rows, columns, pad) => {
      const part = exchanged(backend, filter, rows, columns);
      const gradient = run(backend, "Conv2D", { x: image, filter: part }, {
        strides: [1, 1],
        dilations: [1, 1],
        pad,
        dataFormat: "NHWC",
      });
      free(backend, part);
      return gradient;
    });
  },
);

/** The given taps of a filter `[h, w, in, out]` as a filter `[rows, columns, out, in]`. */
function exchanged(backend: BackendWasm, filter: Info, rows: number[], columns: number[]): Info {
  const [, width, inChannels, outChannels] = filter.shape;
  const part = allocate(backend, [rows.length, columns.length, outChannels, inChannels]);
  const from = floats(backend, filter);
  const to = floats(backend, part);
  let target = 0;
  for (const row of rows) {
    for (const column of columns) {
      const source = (row * width + column) * inChannels * outChannels;
      for (let o = 0; o < outChannels; o++) {
        for (let c = 0; c < inChannels; c++) to[target++] = from[source + c * outChannels + o];
      }
    }
  }
  return part;
}
