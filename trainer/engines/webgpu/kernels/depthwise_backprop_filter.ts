import { convGeometry, type Geometry } from "../../geometry.ts";
import { type FilterGradientAttrs, INPUT_AT, uniformsOf } from "../geometry.ts";
import { type Info, runShader, webgpuKernel } from "../program.ts";
import { type Split, splitOf, sumOfSplits } from "../split.ts";

/** Output channels of a workgroup, side by side in memory. */
export const CHANNELS = 64;
/** Threads that share the positions of a channel. */
const LANES = 4;
/** Fewer positions than this are not worth a workgroup of their own. */
const LEAST_POSITIONS = 64;

/**
 * Gradient of a depthwise convolution with respect to its filter, in the place of tfjs's kernel with one thread for each
 * weight: a thread keeps the sums of all taps of one channel in registers and so reads each `dy` once; the positions are
 * shared among the threads of a workgroup and among workgroups.
 */
export const depthwiseBackpropFilter = webgpuKernel<{ x: Info; dy: Info }, FilterGradientAttrs>(
  "DepthwiseConv2dNativeBackpropFilter",
  ({ inputs: { x, dy }, attrs, backend }) => {
    const geometry = convGeometry(x.shape, attrs.filterShape, attrs, true, attrs.dilations);
    const { filterHeight, filterWidth, inChannels, outChannels } = geometry;
    const taps = filterHeight * filterWidth;
    const { columns, split } = stretchesOf(geometry);
    const partial = runShader(backend, {
      key: `depthwiseBackpropFilter_${taps}`,
      inputs: ["x", "dy"],
      outputShape: [split.count, taps * outChannels],
      workgroupSize: [CHANNELS, LANES, 1],
      workgroups: [columns, 1, split.count],
      uniforms: { ...uniformsOf(geometry), multiplier: outChannels / inChannels, splitPositions: split.terms },
      declarations: `var<workgroup> found: array<f32, ${CHANNELS * LANES}>;\n${INPUT_AT}`,
      main: mainOf(taps),
    }, [x, dy]);
    return sumOfSplits(backend, partial, attrs.filterShape);
  },
);

/** How the gradient's work is shared out: groups of channels, stretches of positions. */
export function stretchesOf(geometry: Geometry): { columns: number; split: Split } {
  const { batchSize, outHeight, outWidth, outChannels } = geometry;
  const columns = Math.ceil(outChannels / CHANNELS);
  const split = splitOf(batchSize * outHeight * outWidth, {
    workgroups: columns,
    step: LANES,
    least: LEAST_POSITIONS,
  });
  return { columns, split };
}

/** @param taps of the filter: the number of sums in registers is a part of the code */
function mainOf(taps: number): string {
  return `
  let output = i32(workgroupId.x) * ${CHANNELS} + i32(localId.x);
  let channel = output / uniforms.multiplier;
  let start = i32(workgroupId.z) * uniforms.splitPositions;
  let end = min(start + uniforms.splitPositions, uniforms.positions);
  var sums: array<f32, ${taps}>;
  if (output < uniforms.outChannels) {
    for (var position = start + i32(localId.y); position < end; position += ${LANES}) {
      let slope = dy[position * uniforms.outChannels + output];
      for (var tap = 0; tap < ${taps}; tap++) {
        let row = tap / uniforms.filterWidth;
        sums[tap] += slope * inputAt(position, row, tap - row * uniforms.filterWidth, channel);
      }
    }
  }
  for (var tap = 0; tap < ${taps}; tap++) {
    found[localIndex] = sums[tap];
    workgroupBarrier();
    if (localId.y == 0u && output < uniforms.outChannels) {
      var sum = 0.0;
      for (var lane = 0u; lane < ${LANES}u; lane++) { sum += found[lane * ${CHANNELS}u + localId.x]; }
      result[(i32(workgroupId.z) * ${taps} + tap) * uniforms.outChannels + output] = sum;
    }
    workgroupBarrier();
  }`;
}
