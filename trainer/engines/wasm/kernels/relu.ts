import { RELU_GRAD } from "../../kernel_names.ts";
import { allocate, type Info, sizeOf, wasmKernel } from "../heap.ts";
import { ELEMENTS_CHUNK, Workspace } from "../native/workspace.ts";

/** `max(x, 0)` on all threads. */
export const relu = wasmKernel<{ x: Info }, object>("Relu", ({ inputs: { x }, backend }) => {
  using work = new Workspace(backend);
  const y = allocate(backend, x.shape);
  work.run("relu", [work.address(x), work.address(y)], sizeOf(x), ELEMENTS_CHUNK);
  return y;
});

/** Gradient of ReLU and ReLU6 in one pass. */
export const reluGrad = wasmKernel<{ dy: Info; y: Info }, { maximum: number }>(
  RELU_GRAD,
  ({ inputs: { dy, y }, attrs: { maximum }, backend }) => {
    using work = new Workspace(backend);
    const dx = allocate(backend, y.shape);
    const addresses = [dy, y, dx].map((tensor) => work.address(tensor));
    work.run("reluGradient", [...addresses, maximum], sizeOf(y), ELEMENTS_CHUNK);
    return dx;
  },
);
