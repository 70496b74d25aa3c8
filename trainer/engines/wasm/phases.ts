import type { Geometry } from "../geometry.ts";
import { type Extent, framed, type Grid, gridOver, type Images, UNIT } from "./native/grid.ts";
import type { Taps } from "./native/convolve.ts";
import type { Workspace } from "./native/workspace.ts";

/**
 * One axis of one phase of a strided convolution's input gradient.
 *
 * Input positions `i` with `(i + padding) mod stride = a` are reached only by the filter taps `a, a + stride, ...`, so
 * each phase is a plain convolution of `dy` with that part of the filter, and none multiplies zeros.
 */
interface Phase {
  /** First input position of the phase; the others follow at `stride`. */
  first: number;
  /** How many input positions the phase has. */
  count: number;
  /** How many filter taps it has, and the last of them, which meets `dy` first. */
  taps: number;
  lastTap: number;
  /** Rows of zeros before and after `dy`; negative where rows of `dy` play no part. */
  before: number;
  after: number;
}

/**
 * The phases of one axis that any tap reaches.
 *
 * @param size of the input along the axis
 * @param outSize of the convolution's output, that is of `dy`
 * @param padding before the input's first position
 */
function phasesOf(size: number, outSize: number, filter: number, stride: number, padding: number): Phase[] {
  const phases: Phase[] = [];
  for (let a = 0; a < Math.min(stride, filter); a++) {
    const first = (((a - padding) % stride) + stride) % stride;
    if (first >= size) continue;
    const count = Math.ceil((size - first) / stride);
    const taps = Math.ceil((filter - a) / stride);
    const start = (first + padding - a) / stride;
    const before = taps - 1 - start;
    const after = start + count - outSize;
    phases.push({ first, count, taps, lastTap: a + (taps - 1) * stride, before, after });
  }
  return phases;
}

/** A part of an input gradient that is a convolution of `dy` at stride 1. */
export interface PhasePart {
  /** The frame of `dy`, and the places in it where the convolution's windows begin. */
  dy: Images;
  seen: Grid;
  /** The filter's taps in the order in which a convolution of `dy` meets them. */
  taps: Taps;
  /** Where the part's pixels go in `dx`. */
  placed: Grid;
}

/**
 * The input gradient of a convolution in phases: what they leave out is zero, and `whole` says that they leave nothing out.
 *
 * @param slack floats that may be read past `dy`
 */
export function inputGradientParts(
  work: Workspace,
  dy: Images,
  dx: Images,
  geometry: Geometry,
  slack = 0,
): { parts: PhasePart[]; whole: boolean } {
  const { padInfo, filterHeight, filterWidth, strideHeight, strideWidth } = geometry;
  const vertical = phasesOf(dx.height, dy.height, filterHeight, strideHeight, padInfo.top);
  const horizontal = phasesOf(dx.width, dy.width, filterWidth, strideWidth, padInfo.left);
  const before = { rows: most(vertical, "before"), columns: most(horizontal, "before") };
  const size = {
    rows: before.rows + dy.height + most(vertical, "after"),
    columns: before.columns + dy.width + most(horizontal, "after"),
  };
  const frame = framed(work, dy, before, size, slack);
  const stride: Extent = { rows: strideHeight, columns: strideWidth };
  const parts = vertical.flatMap((v) =>
    horizontal.map((h): PhasePart => {
      const start = { rows: before.rows - v.before, columns: before.columns - h.before };
      const pixels = { rows: v.count, columns: h.count };
      return {
        dy: frame,
        seen: gridOver(work, frame, start, pixels, UNIT),
        taps: {
          first: { rows: v.lastTap, columns: h.lastTap },
          stride,
          count: { rows: v.taps, columns: h.taps },
        },
        placed: gridOver(work, dx, { rows: v.first, columns: h.first }, pixels, stride),
      };
    })
  );
  const covered = (phases: Phase[]) => phases.reduce((sum, { count }) => sum + count, 0);
  return { parts, whole: covered(vertical) === dx.height && covered(horizontal) === dx.width };
}

function most(phases: Phase[], side: "before" | "after"): number {
  return Math.max(...phases.map((phase) => phase[side]));
}
