import { ADAM_STEP, type AdamStepAttrs } from "../../kernel_names.ts";
import { allocate, type Info, sizeOf, wasmKernel } from "../heap.ts";
import { ELEMENTS_CHUNK, Workspace } from "../native/workspace.ts";

interface Inputs {
  value: Info;
  gradient: Info;
  m: Info;
  v: Info;
}

/**
 * One step of Adam (Kingma and Ba 2015, algorithm 1), or AdamW (Loshchilov and Hutter 2019), in one pass. The moments are updated where they lie; the value goes
 * to new memory, because XNNPACK keeps packed copies of the filters it has seen.
 */
export const adamStep = wasmKernel<Inputs, AdamStepAttrs>(
  ADAM_STEP,
  ({ inputs, attrs: { learningRate, weightDecay, beta1, beta2, epsilon, step }, backend }) => {
    using work = new Workspace(backend);
    const result = allocate(backend, inputs.value.shape);
    const addresses = [inputs.value, inputs.gradient, inputs.m, inputs.v, result].map((info) => work.address(info));
    const rate = learningRate / (1 - beta1 ** step);
    const kept = 1 - learningRate * weightDecay;
    const correction = 1 / (1 - beta2 ** step);
    const args = [...addresses, rate, kept, beta1, beta2, correction, epsilon];
    work.run("adamStep", args, sizeOf(result), ELEMENTS_CHUNK);
    return result;
  },
);
