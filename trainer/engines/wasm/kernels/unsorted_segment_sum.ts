import { allocate, floats, type Info, ints, wasmKernel } from "../heap.ts";

/**
 * Sums the rows of `x` that share a segment: the gradient of `tf.gather`, which the stock backend lacks. Rows whose
 * segment lies outside `0..numSegments-1` are left out, as in TensorFlow.
 */
export const unsortedSegmentSum = wasmKernel<{ x: Info; segmentIds: Info }, { numSegments: number }>(
  "UnsortedSegmentSum",
  ({ inputs: { x, segmentIds }, attrs: { numSegments }, backend }) => {
    const rowShape = x.shape.slice(segmentIds.shape.length);
    const rowSize = rowShape.reduce((product, size) => product * size, 1);
    const sums = allocate(backend, [numSegments, ...rowShape]);
    const rows = floats(backend, x);
    const segments = ints(backend, segmentIds);
    const to = floats(backend, sums);
    to.fill(0);
    for (let i = 0; i < segments.length; i++) {
      const segment = segments[i];
      if (segment < 0 || segment >= numSegments) continue;
      for (let k = 0; k < rowSize; k++) to[segment * rowSize + k] += rows[i * rowSize + k];
    }
    return sums;
  },
);
