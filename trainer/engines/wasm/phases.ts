import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import type { Geometry } from "../geometry.ts";
import { allocate, floats, free, type Info, run } from "./heap.ts";

/**
 * One axis of one phase of a strided convolution's input gradient.
 *
 * Input positions `i` with `(i + padding) mod stride = a` are reached only by the filter taps `a, a + stride, ...`, so
 * each phase is a plain convolution of `dy` with that part of the filter, and none multiplies zeros.
 */
export interface Phase {
  /** First input position of the phase; the others follow at `stride`. */
  first: number;
  /** How many input positions the phase has. */
  count: number;
  /** Filter taps in the order in which a convolution of `dy` meets them (reversed). */
  taps: number[];
  /** Rows of zeros before and after `dy`; negative where rows of `dy` play no part. */
  before: number;
  after: number;
}

/**
 * The phases of one axis.
 *
 * @param size of the input along the axis
 * @param outSize of the convolution's output, that is of `dy`
 * @param padding before the input's first position
 */
export function phasesOf(size: number, outSize: number, filter: number, stride: number, padding: number): Phase[] {
  const phases: Phase[] = [];
  for (let a = 0; a < stride; a++) {
    const first = (((a - padding) % stride) + stride) % stride;
    if (first >= size) continue;
    const count = Math.ceil((size - first) / stride);
    const taps: number[] = [];
    for (let tap = a; tap < filter; tap += stride) taps.unshift(tap);
    const start = (first + padding - a) / stride;
    const before = taps.length - 1 - start;
    const after = start + count - outSize;
    phases.push({ first, count, taps, before, after });
  }
  return phases;
}

/**
 * Input gradient of a convolution, phase by phase (see {@link Phase}): each phase is a stride-1 convolution of `dy`, and
 * their results interleave to `dx`.
 *
 * @param dy gradient of the output, `[batch, outHeight, outWidth, outChannels]`
 * @param convolve convolves `dy`, padded as told, with the filter's taps of that phase
 * @returns `[batch, inHeight, inWidth, inChannels]`
 */
export function inputGradientByPhases(
  backend: BackendWasm,
  dy: Info,
  geometry: Geometry,
  convolve: (dy: Info, rows: number[], columns: number[], pad: number[][]) => Info,
): Info {
  const { batchSize, inHeight, inWidth, outHeight, outWidth, inChannels, strideHeight, strideWidth, padInfo } =
    geometry;
  const vertical = phasesOf(inHeight, outHeight, geometry.filterHeight, strideHeight, padInfo.top);
  const horizontal = phasesOf(inWidth, outWidth, geometry.filterWidth, strideWidth, padInfo.left);
  const part = (v: Phase, h: Phase): Info => {
    const cropped = crop(backend, dy, v, h);
    const positive = [[0, 0], [Math.max(0, v.before), Math.max(0, v.after)], [
      Math.max(0, h.before),
      Math.max(0, h.after),
    ], [0, 0]];
    const result = convolve(cropped, v.taps, h.taps, positive);
    if (cropped !== dy) free(backend, cropped);
    return result;
  };
  if (strideHeight === 1 && strideWidth === 1) return part(vertical[0], horizontal[0]);

  const dx = allocate(backend, [batchSize, inHeight, inWidth, inChannels]);
  floats(backend, dx).fill(0);
  for (const v of vertical) {
    for (const h of horizontal) {
      if (v.taps.length === 0 || h.taps.length === 0) continue;
      const result = part(v, h);
      interleave(floats(backend, result), floats(backend, dx), v, h, geometry);
      free(backend, result);
    }
  }
  return dx;
}

/** Drops the rows and columns of `dy` that no tap of the phase meets. */
function crop(backend: BackendWasm, dy: Info, v: Phase, h: Phase): Info {
  if (Math.min(v.before, v.after, h.before, h.after) >= 0) return dy;
  const top = Math.max(0, -v.before);
  const left = Math.max(0, -h.before);
  const height = dy.shape[1] - top - Math.max(0, -v.after);
  const width = dy.shape[2] - left - Math.max(0, -h.after);
  return run(backend, "Slice", { x: dy }, {
    begin: [0, top, left, 0],
    size: [dy.shape[0], height, width, dy.shape[3]],
  });
}

function interleave(from: Float32Array, to: Float32Array, v: Phase, h: Phase, geometry: Geometry): void {
  const { batchSize, inHeight, inWidth, inChannels, strideHeight, strideWidth } = geometry;
  let source = 0;
  for (let n = 0; n < batchSize; n++) {
    for (let i = 0; i < v.count; i++) {
      let target = ((n * inHeight + v.first + i * strideHeight) * inWidth + h.first) * inChannels;
      for (let j = 0; j < h.count; j++) {
        for (let c = 0; c < inChannels; c++) to[target + c] = from[source++];
        target += strideWidth * inChannels;
      }
    }
  }
}
