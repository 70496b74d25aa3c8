import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { type Info, runShader } from "./program.ts";
import { splitOf, sumOfSplits } from "./split.ts";

/** Columns of a workgroup, side by side in memory. */
const COLUMNS = 64;
/** Threads that share the rows of a column. */
const LANES = 4;
/** Fewer rows than this are not worth a workgroup of their own. */
const LEAST_ROWS = 64;

/** Sums over the rows of a matrix, which lies row by row. */
export interface ColumnSums {
  /** Different for different terms. */
  key: string;
  /** Names of the input buffers. */
  inputs: string[];
  rows: number;
  channels: number;
  /** WGSL of what is summed, each by itself; it sees the matrix's `index` and `channel`. */
  terms: string[];
  /** Of all sums; default 1. */
  factor?: number;
}

/** @returns `[terms, channels]`, one row for each of the terms */
export function columnSums(backend: WebGPUBackend, sums: ColumnSums, inputs: Info[]): Info {
  const { key, rows, channels, terms, factor } = sums;
  const columns = Math.ceil(channels / COLUMNS);
  const split = splitOf(rows, { workgroups: columns, step: LANES, least: LEAST_ROWS });
  const partial = runShader(backend, {
    key,
    inputs: sums.inputs,
    outputShape: [split.count, terms.length * channels],
    workgroupSize: [COLUMNS, LANES, 1],
    workgroups: [columns, 1, split.count],
    uniforms: { rows, channels, splitRows: split.terms },
    declarations: `var<workgroup> found: array<f32, ${COLUMNS * LANES}>;`,
    main: mainOf(terms),
  }, inputs);
  return sumOfSplits(backend, partial, [terms.length, channels], factor);
}

function mainOf(terms: string[]): string {
  return `
  let channel = i32(workgroupId.x) * ${COLUMNS} + i32(localId.x);
  let start = i32(workgroupId.z) * uniforms.splitRows;
  let end = min(start + uniforms.splitRows, uniforms.rows);
  var sums: array<f32, ${terms.length}>;
  if (channel < uniforms.channels) {
    for (var row = start + i32(localId.y); row < end; row += ${LANES}) {
      let index = row * uniforms.channels + channel;
      ${terms.map((term, k) => `sums[${k}] += ${term};`).join("\n      ")}
    }
  }
  for (var k = 0; k < ${terms.length}; k++) {
    found[localIndex] = sums[k];
    workgroupBarrier();
    if (localId.y == 0u && channel < uniforms.channels) {
      var sum = 0.0;
      for (var lane = 0u; lane < ${LANES}u; lane++) { sum += found[lane * ${COLUMNS}u + localId.x]; }
      result[(i32(workgroupId.z) * ${terms.length} + k) * uniforms.channels + channel] = sum;
    }
    workgroupBarrier();
  }`;
}
