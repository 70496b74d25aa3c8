import { GLOBAL_NORM } from "../../kernel_names.ts";
import { allocate, floats, type Info, wasmKernel } from "../heap.ts";

/** The norm of all inputs as one vector, summed in double precision, without a tensor in between. */
export const globalNorm = wasmKernel<Record<string, Info>, object>(GLOBAL_NORM, ({ inputs, backend }) => {
  const result = allocate(backend, []);
  let sum = 0;
  for (const input of Object.values(inputs)) {
    const values = floats(backend, input);
    for (let i = 0; i < values.length; i++) sum += values[i] * values[i];
  }
  floats(backend, result)[0] = Math.sqrt(sum);
  return result;
});
