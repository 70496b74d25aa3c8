import { GLOBAL_NORM } from "../../kernel_names.ts";
import { allocate, floats, type Info, sizeOf, wasmKernel } from "../heap.ts";
import { Workspace } from "../native/workspace.ts";

/** Floats whose squares make one sum of `squaredSums`. */
const BLOCK = 4096;

/** The norm of all inputs as one vector, summed in double precision, without a tensor in between. */
export const globalNorm = wasmKernel<Record<string, Info>, object>(GLOBAL_NORM, ({ inputs, backend }) => {
  const result = allocate(backend, []);
  const total = Object.values(inputs).reduce((sum, input) => {
    using work = new Workspace(backend);
    const blocks = Math.ceil(sizeOf(input) / BLOCK);
    const sums = work.take(2 * blocks);
    work.run("squaredSums", [work.address(input), sums, sizeOf(input)], blocks);
    return work.doubles(sums, blocks).reduce((a, b) => a + b, sum);
  }, 0);
  floats(backend, result)[0] = Math.sqrt(total);
  return result;
});
