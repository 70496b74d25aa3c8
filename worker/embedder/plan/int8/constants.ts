import { CODE_MAX, type Finish } from "../../../../shared/int8/mod.ts";
import { PANEL } from "../frames.ts";

/** What ends a layer, for the kernels: whether it has slopes, its lower bound, the code of zero, and whether it stays float32. */
export type Ends = [bent: number, least: number, zero: number, floats: number];

/** Multipliers, offsets, upper bounds and slopes of each eight channels: see `shared/kernels/assembly/codes.ts`. */
export function constantsOf(
  channels: number,
  multiplier: Float32Array | null,
  offset: Float32Array | null,
  { highest, slopes, grid }: Finish,
): Float32Array {
  const constants = new Float32Array(4 * PANEL * Math.ceil(channels / PANEL));
  const most = grid === null ? Infinity : CODE_MAX - grid.zero;
  for (let c = 0; c < channels; c++) {
    const at = 4 * PANEL * Math.floor(c / PANEL) + c % PANEL;
    constants[at] = multiplier?.[c] ?? 0;
    constants[at + PANEL] = offset?.[c] ?? 0;
    constants[at + 2 * PANEL] = Math.min(highest?.[c] ?? Infinity, most);
    constants[at + 3 * PANEL] = slopes?.[c] ?? 0;
  }
  return constants;
}

/** The rest of it. */
export function endsOf({ lowest, slopes, grid }: Finish): Ends {
  const least = grid === null ? lowest : Math.max(lowest, -grid.zero);
  return [slopes === null ? 0 : 1, least, grid?.zero ?? 0, grid === null ? 1 : 0];
}
