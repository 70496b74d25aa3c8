import { fastestBuild, instantiateKernels, type Step } from "../../../worker/embedder/plan/kernels.ts";
import type { Peak } from "./protocol.ts";

/** A product whose operands stay in the first cache: as fast as the core goes with these instructions. */
const ROWS = 24, INNER = 256, COLUMNS = 64;
/** Many and short, so that some are not disturbed. */
const TRIES = 20_000;
const FLOAT = 4, PAGE = 2 ** 16;

/** What the fastest kernels reach in a matrix product, the best of many tries. */
export async function peaksOf(): Promise<Peak> {
  const a = PAGE, b = a + ROWS * INNER * FLOAT, c = b + INNER * COLUMNS * FLOAT;
  const tables = c + ROWS * COLUMNS * FLOAT, ends = tables + 3 * ROWS * FLOAT;
  // Of each channel a multiplier, an offset, a bound and a slope; in float32 the first of them are the biases.
  const memory = new WebAssembly.Memory({ initial: Math.ceil((ends + 4 * COLUMNS * FLOAT) / PAGE) });
  const kernels = await instantiateKernels(fastestBuild(), memory);
  const [floats, codes, placed] = [INNER * FLOAT, INNER, COLUMNS * FLOAT].map((step, i) => {
    const table = tables + i * ROWS * FLOAT;
    kernels.tabulate(table, 1, ROWS, 0, 0, step, 0, 1);
    return table;
  });
  const bestOf = ({ kernel, args }: Step) => {
    let best = Infinity;
    for (let i = 0; i < TRIES; i++) {
      const start = performance.now();
      kernels[kernel](...args);
      best = Math.min(best, performance.now() - start);
    }
    return 2 * ROWS * INNER * COLUMNS / best / 1e6;
  };
  const product = (seen: number) => [a, seen, 1, 0, INNER, b, c, placed, COLUMNS, ends];
  const [none, all] = [[0, 0, 0], [ROWS, ROWS]];
  return {
    float32: bestOf({ kernel: "convolveFused", args: [...product(floats), ...none, -Infinity, Infinity, ...all] }),
    int8: bestOf({ kernel: "convolveCodes", args: [...product(codes), 0, 0, ...none, 0, ...none.slice(1), ...all] }),
  };
}
