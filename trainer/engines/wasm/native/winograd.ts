import type { Panels } from "./convolve.ts";
import { type Extent, framed, type Images, rowBytes, rowsOf } from "./grid.ts";
import type { Address, Workspace } from "./workspace.ts";

/** Columns of a panel, and rows of a tile of the matrix products. */
const PANEL = 8, TILE = 6;
/** Values of a transformed tile, which makes 2x2 output pixels. */
const PLANES = 16;
/** Floats that a thread holds in transformed tiles at a time, so that they stay in the second cache. */
const CACHED = 2 ** 17;
/** Floats that all parts of a filter's gradient may take, and how many parts there are at most. */
const SUMS = 2 ** 21, MOST_PARTS = 8;
/** Fewer tiles are not worth the larger filters. */
const FEWEST_TILES = 64;

/** Whether a convolution can be computed in tiles, and is worth it. */
export function suitsWinograd(filter: readonly number[], stride: Extent, output: Images): boolean {
  const [height, width, inner, channels] = filter;
  const plain = height === 3 && width === 3 && stride.rows === 1 && stride.columns === 1;
  const { count } = tilesOf(output);
  return plain && inner % 4 === 0 && channels % 4 === 0 && count >= FEWEST_TILES;
}

/**
 * Convolves images with 3x3 filters at stride 1.
 *
 * @param before rows and columns of zeros before the images
 * @param filter `[9 * inner, channels]`, packed
 * @param output as large as the convolution's result
 */
export function convolveWinograd(work: Workspace, input: Images, before: Extent, filter: Panels, output: Images): void {
  const { down, across, count } = tilesOf(output);
  const inner = input.channels, channels = output.channels;
  const frame = framed(work, input, before, { rows: 2 * down + 2, columns: 2 * across + 2 });
  const units = Math.ceil(channels / PANEL) * inner;
  const transformed = work.take(PLANES * units * PANEL);
  work.run("winogradFilter", [filter.at, transformed, inner, units], units);
  const most = Math.ceil(count / work.threads / 2);
  const block = blockOf(most, inner + channels);
  const scratch = work.take(work.threads * PLANES * block * (inner + channels));
  const seen = rowsOf(work, 0, block, inner).offsets, placed = rowsOf(work, 0, block, channels).offsets;
  const from = [frame.at, frame.height * rowBytes(frame), rowBytes(frame), inner, transformed];
  const to = [output.at, output.height, output.width, channels, down, across, block];
  work.run("winograd", [...from, ...to, scratch, seen, placed], count, block);
}

/**
 * The gradient of such a convolution by its filter.
 *
 * @param gradient of the output
 * @param filter where it goes, `[3, 3, inner, channels]`
 */
export function winogradFilterGradient(
  work: Workspace,
  input: Images,
  before: Extent,
  gradient: Images,
  filter: Address,
): void {
  const { down, across, count } = tilesOf(gradient);
  const inner = input.channels, channels = gradient.channels, panels = Math.ceil(channels / PANEL);
  const frame = framed(work, input, before, { rows: 2 * down + 2, columns: 2 * across + 2 });
  const floats = PLANES * panels * Math.ceil(inner / TILE) * TILE * PANEL;
  // As many on any number of threads, so that the sums are the same.
  const parts = Math.max(2, Math.min(MOST_PARTS, Math.floor(SUMS / floats)));
  const part = Math.ceil(count / parts);
  const block = blockOf(part, inner + PANEL * panels);
  const scratch = work.take(work.threads * PLANES * block * (inner + PANEL * panels));
  const sums = work.take(parts * floats);
  const from = [frame.at, frame.height * rowBytes(frame), rowBytes(frame), inner];
  const slopes = [gradient.at, gradient.height, gradient.width, channels, down, across, count];
  const seen = rowsOf(work, 0, block, inner).offsets;
  const used = Math.ceil(count / part);
  work.run("winogradSums", [...from, ...slopes, part, block, scratch, seen, sums], used, 1);
  work.run("joinWinogradSums", [sums, used, filter, inner, channels], panels * inner);
}

/** Tiles that are transformed at a time: whole tiles of the matrix products, within the cache. */
function blockOf(most: number, channels: number): number {
  const cached = Math.floor(CACHED / PLANES / channels / TILE) * TILE;
  return Math.max(TILE, Math.min(most, cached));
}

function tilesOf({ batch, height, width }: Images) {
  const down = Math.ceil(height / 2), across = Math.ceil(width / 2);
  return { down, across, count: batch * down * across };
}
