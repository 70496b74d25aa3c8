import { ADAM_STEP, type AdamStepAttrs } from "../../kernel_names.ts";
import { allocate, floats, type Info, wasmKernel } from "../heap.ts";

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
    const result = allocate(backend, inputs.value.shape);
    const [value, gradient, m, v] = [inputs.value, inputs.gradient, inputs.m, inputs.v].map((t) => floats(backend, t));
    const to = floats(backend, result);
    const rate = learningRate / (1 - beta1 ** step);
    const kept = 1 - learningRate * weightDecay;
    const correction = 1 / (1 - beta2 ** step);
    for (let i = 0; i < to.length; i++) {
      const g = gradient[i];
      const first = beta1 * m[i] + (1 - beta1) * g;
      const second = beta2 * v[i] + (1 - beta2) * g * g;
      m[i] = first;
      v[i] = second;
      to[i] = kept * value[i] - rate * first / (Math.sqrt(second * correction) + epsilon);
    }
    return result;
  },
);
