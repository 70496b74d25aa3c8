import { SGD_STEP, type SgdStepAttrs } from "../../kernel_names.ts";
import { allocate, floats, type Info, wasmKernel } from "../heap.ts";

interface Inputs {
  value: Info;
  gradient: Info;
  velocity: Info;
}

/** One step of gradient descent with momentum in one pass, with memory as {@link adamStep} uses it. */
export const sgdStep = wasmKernel<Inputs, SgdStepAttrs>(
  SGD_STEP,
  ({ inputs, attrs: { learningRate, weightDecay, momentum }, backend }) => {
    const result = allocate(backend, inputs.value.shape);
    const [value, gradient, velocity] = [inputs.value, inputs.gradient, inputs.velocity].map((t) => floats(backend, t));
    const to = floats(backend, result);
    for (let i = 0; i < to.length; i++) {
      const next = momentum * velocity[i] + gradient[i] + weightDecay * value[i];
      velocity[i] = next;
      to[i] = value[i] - learningRate * next;
    }
    return result;
  },
);
