import type { Windows } from "./convolve.ts";
import type { Grid } from "./grid.ts";
import type { Address, Workspace } from "./workspace.ts";

/** Channels that are computed at a time. */
const LANES = 4;
/** Taps of a row that are summed at once. */
const TAPS = 3;

/** Floats that the kernels may read past the end of a filter. */
export const FILTER_SLACK = LANES;

/** Floats that the kernels may read past the end of images with so many channels. */
export function imageSlack(channels: number): number {
  return TAPS * channels + LANES;
}

/** Convolves each channel with its own filter `[rows, columns, channels]`, into the places of another grid. */
export function depthwise(work: Workspace, seen: Windows, filter: Address, channels: number, placed: Grid): void {
  const { grid, rows, run, rowStep } = seen;
  const args = [grid.at, grid.offsets, rows, run / channels, rowStep, filter, placed.at, placed.offsets, channels];
  work.run("depthwise", args, grid.count);
}

/**
 * The gradient of a depthwise convolution by its filter.
 *
 * @param gradient of the output, `[pixels, channels]`
 * @returns `[rows, columns, channels]`
 */
export function depthwiseFilterGradient(
  work: Workspace,
  { grid, rows, run, rowStep }: Windows,
  gradient: Address,
  channels: number,
): Float32Array {
  const columns = run / channels, groups = Math.ceil(channels / LANES), taps = rows * columns;
  const sums = work.take(groups * taps * LANES);
  work.floats(sums, groups * taps * LANES).fill(0);
  const args = [grid.at, grid.offsets, rows, columns, rowStep, gradient, channels, grid.count, sums];
  work.run("depthwiseFilterGradient", args, groups);
  const summed = work.floats(sums, groups * taps * LANES);
  return Float32Array.from({ length: taps * channels }, (_, i) => {
    const channel = i % channels, tap = Math.floor(i / channels);
    return summed[(Math.floor(channel / LANES) * taps + tap) * LANES + channel % LANES];
  });
}
