import { SGD_STEP, type SgdStepAttrs } from "../../kernel_names.ts";
import { allocate, type Info, sizeOf, wasmKernel } from "../heap.ts";
import { ELEMENTS_CHUNK, Workspace } from "../native/workspace.ts";

interface Inputs {
  value: Info;
  gradient: Info;
  velocity: Info;
}

/** One step of gradient descent with momentum in one pass, with memory as {@link adamStep} uses it. */
export const sgdStep = wasmKernel<Inputs, SgdStepAttrs>(
  SGD_STEP,
  ({ inputs, attrs: { learningRate, weightDecay, momentum }, backend }) => {
    using work = new Workspace(backend);
    const result = allocate(backend, inputs.value.shape);
    const addresses = [inputs.value, inputs.gradient, inputs.velocity, result].map((info) => work.address(info));
    work.run("sgdStep", [...addresses, learningRate, weightDecay, momentum], sizeOf(result), ELEMENTS_CHUNK);
    return result;
  },
);
