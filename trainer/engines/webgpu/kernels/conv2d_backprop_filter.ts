import { convGeometry, type Geometry } from "../../geometry.ts";
import { type FilterGradientAttrs, INPUT_AT, uniformsOf } from "../geometry.ts";
import { type Info, runShader, webgpuKernel } from "../program.ts";
import { type Split, splitOf, sumOfSplits } from "../split.ts";

/** A workgroup's part of the gradient: so many weights of so many output channels. */
export const TILE = 64;
/** Positions that lie in workgroup memory at a time. */
const DEPTH = 16;
/** Each of the 16 x 16 threads keeps a square of so many sums in registers. */
const SQUARE = 4;
/** Fewer positions than this are not worth a workgroup of their own. */
const LEAST_POSITIONS = 128;

/**
 * Gradient of a convolution with respect to its filter:
 * `dW[kh,kw,c,o] = sum over n,i,j of x[n, i*s+kh-p, j*s+kw-p, c] * dy[n,i,j,o]`.
 *
 * tfjs's kernel has one thread for each weight, which sums over all images and pixels alone and reads two numbers for each
 * product. This is a matrix product of the input's patches (never laid out) and `dy`, in tiles through workgroup memory,
 * the long sum split among workgroups. Of ResNet-18 at 112 px, batch 32, `test/parity/filter_gradient_cost.ts` counts, tfjs's
 * and ours:
 *
 * | layer | GFLOP | GB between threads and memory or its caches | threads | terms that one thread sums |
 * |---|---|---|---|---|
 * | 7x7 / 2, 3 to 64, 112 px | 1.89, 2.47 | 7.55, 0.161 | 9408, 254208 | 100352, 635 |
 * | 3x3, 64 to 64, 28 px | 1.85, 1.85 | 7.40, 0.149 | 36864, 258048 | 25088, 336 |
 * | 3x3, 128 to 128, 14 px | 1.85, 1.85 | 7.40, 0.149 | 147456, 258048 | 6272, 252 |
 * | 3x3, 256 to 256, 7 px | 1.85, 1.96 | 7.40, 0.156 | 589824, 294912 | 1568, 216 |
 * | 3x3, 512 to 512, 4 px | 2.42, 2.42 | 9.67, 0.198 | 2359296, 294912 | 512, 258 |
 * | all of a step | | 124, 2.59 | | |
 */
export const conv2dBackpropFilter = webgpuKernel<{ x: Info; dy: Info }, FilterGradientAttrs>(
  "Conv2DBackpropFilter",
  ({ inputs: { x, dy }, attrs, backend }) => {
    const geometry = convGeometry(x.shape, attrs.filterShape, attrs, false, attrs.dilations);
    const { rows, columns, split } = tilesOf(geometry);
    const { outChannels } = geometry;
    const weights = weightsOf(geometry);
    const partial = runShader(backend, {
      key: "conv2dBackpropFilter",
      inputs: ["x", "dy"],
      outputShape: [split.count, weights * outChannels],
      workgroupSize: [TILE / SQUARE, TILE / SQUARE, 1],
      workgroups: [columns, rows, split.count],
      uniforms: { ...uniformsOf(geometry), weights, splitPositions: split.terms },
      declarations: DECLARATIONS,
      main: MAIN,
    }, [x, dy]);
    return sumOfSplits(backend, partial, attrs.filterShape);
  },
);

/** How the gradient's work is shared out: tiles of weights, tiles of output channels, stretches of positions. */
export function tilesOf(geometry: Geometry): { rows: number; columns: number; split: Split } {
  const { batchSize, outHeight, outWidth, outChannels } = geometry;
  const rows = Math.ceil(weightsOf(geometry) / TILE);
  const columns = Math.ceil(outChannels / TILE);
  const split = splitOf(batchSize * outHeight * outWidth, {
    workgroups: rows * columns,
    step: DEPTH,
    least: LEAST_POSITIONS,
  });
  return { rows, columns, split };
}

/** Weights of one output channel. */
function weightsOf({ filterHeight, filterWidth, inChannels }: Geometry): number {
  return filterHeight * filterWidth * inChannels;
}

const DECLARATIONS = `
var<workgroup> patches: array<f32, ${DEPTH * TILE}>;
var<workgroup> slopes: array<f32, ${DEPTH * TILE}>;
${INPUT_AT}`;

/** The number of turns is the same for every workgroup, the last too: barriers must not depend on where one is. */
const MAIN = `
  let thread = i32(localIndex);
  let lane = thread % ${TILE};
  let weight = i32(workgroupId.y) * ${TILE} + lane;
  let tap = weight / uniforms.inChannels;
  let channel = weight - tap * uniforms.inChannels;
  let row = tap / uniforms.filterWidth;
  let column = tap - row * uniforms.filterWidth;
  let output = i32(workgroupId.x) * ${TILE} + lane;
  let start = i32(workgroupId.z) * uniforms.splitPositions;
  let end = min(start + uniforms.splitPositions, uniforms.positions);
  let left = i32(localId.x) * ${SQUARE};
  let top = i32(localId.y) * ${SQUARE};
  var sums: array<vec4<f32>, ${SQUARE}>;
  for (var turn = 0; turn < uniforms.splitPositions; turn += ${DEPTH}) {
    for (var depth = thread / ${TILE}; depth < ${DEPTH}; depth += ${SQUARE}) {
      let position = start + turn + depth;
      var seen = 0.0;
      var slope = 0.0;
      if (position < end) {
        if (weight < uniforms.weights) { seen = inputAt(position, row, column, channel); }
        if (output < uniforms.outChannels) { slope = dy[position * uniforms.outChannels + output]; }
      }
      patches[depth * ${TILE} + lane] = seen;
      slopes[depth * ${TILE} + lane] = slope;
    }
    workgroupBarrier();
    for (var depth = 0; depth < ${DEPTH}; depth++) {
      let s = depth * ${TILE} + left;
      let p = depth * ${TILE} + top;
      let across = vec4<f32>(slopes[s], slopes[s + 1], slopes[s + 2], slopes[s + 3]);
      sums[0] += patches[p] * across;
      sums[1] += patches[p + 1] * across;
      sums[2] += patches[p + 2] * across;
      sums[3] += patches[p + 3] * across;
    }
    workgroupBarrier();
  }
  for (var a = 0; a < ${SQUARE}; a++) {
    let toWeight = i32(workgroupId.y) * ${TILE} + top + a;
    for (var b = 0; b < ${SQUARE}; b++) {
      let toOutput = i32(workgroupId.x) * ${TILE} + left + b;
      if (toWeight < uniforms.weights && toOutput < uniforms.outChannels) {
        let place = (i32(workgroupId.z) * uniforms.weights + toWeight) * uniforms.outChannels + toOutput;
        result[place] = sums[a][b];
      }
    }
  }`;
