import type { Address, Workspace } from "./workspace.ts";

/** Rows whose sums the kernels keep in single precision. */
const BLOCK = 128;

/** Kernels that sum over the rows of each channel, with how many sums each makes. */
const KINDS = { channelSums: 2, gradientSums: 2, preluGradient: 1 };

/**
 * Runs a kernel that sums over blocks of rows, and adds up the blocks in double precision.
 *
 * @param addresses of its parameters before the sums
 * @returns for each of its sums those of all channels
 */
export function channelSums(
  work: Workspace,
  kernel: keyof typeof KINDS,
  addresses: Address[],
  rows: number,
  channels: number,
): Float64Array[] {
  const kinds = KINDS[kernel], padded = 4 * Math.ceil(channels / 4);
  const blocks = Math.ceil(rows / BLOCK);
  const sums = work.take(blocks * kinds * padded);
  work.run(kernel, [...addresses, sums, rows, channels], blocks);
  const values = work.floats(sums, blocks * kinds * padded);
  return Array.from({ length: kinds }, (_, kind) => {
    const totals = new Float64Array(channels);
    for (let at = kind * padded; at < values.length; at += kinds * padded) {
      for (let c = 0; c < channels; c++) totals[c] += values[at + c];
    }
    return totals;
  });
}
