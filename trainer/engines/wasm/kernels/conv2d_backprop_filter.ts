import { type ConvAttrs, convGeometry, type Geometry } from "../../geometry.ts";
import { allocate, floats, free, type Info, matMul, reshaped, run, transpose, wasmKernel } from "../heap.ts";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";

interface Attrs extends ConvAttrs {
  filterShape: [number, number, number, number];
}

/**
 * Gradient of a convolution with respect to its filter, which the stock backend lacks:
 * `dW[kh,kw,c,o] = sum over n,i,j of x[n, i*s+kh-p, j*s+kw-p, c] * dy[n,i,j,o]`.
 *
 * That is again a convolution: of `x` with batch and channels exchanged, by `dy` as the filter, dilated by the stride. A
 * 1x1 filter takes one matrix product.
 */
export const conv2dBackpropFilter = wasmKernel<{ x: Info; dy: Info }, Attrs>(
  "Conv2DBackpropFilter",
  ({ inputs: { x, dy }, attrs, backend }) => {
    const geometry = convGeometry(x.shape, attrs.filterShape, attrs);
    const { filterHeight, filterWidth, padInfo } = geometry;
    const pointwise = filterHeight === 1 && filterWidth === 1 && padInfo.top === 0 && padInfo.left === 0;
    return pointwise ? byMatrixProduct(backend, x, dy, geometry) : byConvolution(backend, x, dy, geometry);
  },
);

function byMatrixProduct(backend: BackendWasm, x: Info, dy: Info, geometry: Geometry): Info {
  const { batchSize, outHeight, outWidth, inChannels, outChannels, strideHeight, strideWidth } = geometry;
  const positions = batchSize * outHeight * outWidth;
  const strided = strideHeight > 1 || strideWidth > 1;
  const seen = strided ? sampled(backend, x, geometry) : x;
  const columns = transpose(backend, reshaped(seen, [positions, inChannels]), [1, 0]);
  if (strided) free(backend, seen);
  const product = matMul(backend, columns, reshaped(dy, [positions, outChannels]));
  free(backend, columns);
  return reshaped(product, [1, 1, inChannels, outChannels]);
}

/**
 * One convolution for each row `kh` of the filter: the rows of `x` that meet `dy` through it, channel under channel as one
 * tall image, at a stride of one channel. So XNNPACK packs `dy` once and its tiles are full.
 */
function byConvolution(backend: BackendWasm, x: Info, dy: Info, geometry: Geometry): Info {
  const { filterHeight, filterWidth, outHeight, outWidth, inChannels, outChannels, strideWidth, padInfo } = geometry;
  const images = transpose(backend, x, [3, 1, 2, 0]);
  const filter = transpose(backend, dy, [1, 2, 0, 3]);
  const gradient = allocate(backend, [filterHeight, filterWidth, inChannels, outChannels]);
  const reach = filterWidth + (outWidth - 1) * strideWidth - padInfo.left;
  const width = Math.min(geometry.inWidth, reach);
  for (let kh = 0; kh < filterHeight; kh++) {
    const stacked = rowsThrough(backend, images, geometry, kh, width);
    const row = run(backend, "Conv2D", { x: stacked, filter }, {
      strides: [outHeight, 1],
      dilations: [1, strideWidth],
      pad: [[0, 0], [0, 0], [padInfo.left, reach - width], [0, 0]],
      dataFormat: "NHWC",
    });
    free(backend, stacked);
    placeRow(floats(backend, row), floats(backend, gradient), kh, geometry);
    free(backend, row);
  }
  free(backend, images);
  free(backend, filter);
  return gradient;
}

/**
 * The rows of `images [channels, height, width, batch]` that meet each row of `dy` through the filter's row `kh`.
 *
 * @param width how much of each row any tap meets
 * @returns `[1, channels * outHeight, width, batch]`
 */
function rowsThrough(backend: BackendWasm, images: Info, geometry: Geometry, kh: number, width: number): Info {
  const [channels, inHeight, inWidth, batch] = images.shape;
  const { outHeight, strideHeight, padInfo } = geometry;
  const stacked = allocate(backend, [1, channels * outHeight, width, batch]);
  const from = floats(backend, images);
  const to = floats(backend, stacked);
  const size = width * batch;
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < outHeight; i++) {
      const target = (c * outHeight + i) * size;
      const h = i * strideHeight + kh - padInfo.top;
      const source = (c * inHeight + h) * inWidth * batch;
      if (h < 0 || h >= inHeight) to.fill(0, target, target + size);
      else to.set(from.subarray(source, source + size), target);
    }
  }
  return stacked;
}

/** Writes `row [channels, filterWidth, outChannels]` as row `kh` of `gradient [.., filterWidth, channels, outChannels]`. */
function placeRow(row: Float32Array, gradient: Float32Array, kh: number, geometry: Geometry): void {
  const { filterWidth, inChannels, outChannels } = geometry;
  let source = 0;
  for (let c = 0; c < inChannels; c++) {
    for (let kw = 0; kw < filterWidth; kw++) {
      const target = ((kh * filterWidth + kw) * inChannels + c) * outChannels;
      for (let o = 0; o < outChannels; o++) gradient[target + o] = row[source++];
    }
  }
}

/** The input positions that a strided 1x1 convolution sees: `x[:, ::stride, ::stride, :]`. */
function sampled(backend: BackendWasm, x: Info, geometry: Geometry): Info {
  const { batchSize, inHeight, inWidth, outHeight, outWidth, inChannels, strideHeight, strideWidth } = geometry;
  const taken = allocate(backend, [batchSize, outHeight, outWidth, inChannels]);
  const from = floats(backend, x);
  const to = floats(backend, taken);
  let target = 0;
  for (let n = 0; n < batchSize; n++) {
    for (let i = 0; i < outHeight; i++) {
      let source = (n * inHeight + i * strideHeight) * inWidth * inChannels;
      for (let j = 0; j < outWidth; j++) {
        for (let c = 0; c < inChannels; c++) to[target++] = from[source + c];
        source += strideWidth * inChannels;
      }
    }
  }
  return taken;
}
