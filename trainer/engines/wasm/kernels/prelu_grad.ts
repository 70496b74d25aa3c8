import { PRELU_GRAD } from "../../kernel_names.ts";
import { allocate, floats, type Info, sizeOf, wasmKernel } from "../heap.ts";
import { channelSums } from "../native/channel_sums.ts";
import { Workspace } from "../native/workspace.ts";

/** Gradients of PReLU by its input and its slopes, in one pass. */
export const preluGrad = wasmKernel<{ dy: Info; x: Info; alpha: Info }, object>(
  PRELU_GRAD,
  ({ inputs: { dy, x, alpha }, backend }) => {
    using work = new Workspace(backend);
    const channels = sizeOf(alpha);
    const dx = allocate(backend, x.shape), dalpha = allocate(backend, alpha.shape);
    const slopes = work.put(floats(backend, alpha).slice());
    const addresses = [work.address(dy), work.address(x), slopes, work.address(dx)];
    const [sums] = channelSums(work, "preluGradient", addresses, sizeOf(x) / channels, channels);
    floats(backend, dalpha).set(sums);
    return [dx, dalpha];
  },
);
