import { allocate, type Info, sizeOf, wasmKernel } from "../heap.ts";
import { ELEMENTS_CHUNK, Workspace } from "../native/workspace.ts";

/** `max(x, 0)` on all threads. */
export const relu = wasmKernel<{ x: Info }, object>("Relu", ({ inputs: { x }, backend }) => {
  using work = new Workspace(backend);
  const y = allocate(backend, x.shape);
  work.run("relu", [work.address(x), work.address(y)], sizeOf(x), ELEMENTS_CHUNK);
  return y;
});
