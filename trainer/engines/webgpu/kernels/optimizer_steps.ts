import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { ADAM_STEP, type AdamStepAttrs, SGD_STEP, type SgdStepAttrs } from "../../kernel_names.ts";
import { type Elementwise, type Info, runElementwise, webgpuKernel } from "../program.ts";

/** One step of Adam or AdamW: a pass for each of the two moments and one for the value, in the place of a dozen. */
export const adamStep = webgpuKernel<Record<"value" | "gradient" | "m" | "v", Info>, AdamStepAttrs>(
  ADAM_STEP,
  ({ inputs: { value, gradient, m, v }, attrs, backend }) => {
    const { learningRate, weightDecay, beta1, beta2, epsilon, step } = attrs;
    const pass = passOver(backend, value.shape);
    const moment = "uniforms.decay * moment[index] + (1.0 - uniforms.decay) * ";
    const first = { key: "adamFirst", inputs: ["moment", "slope"], floats: { decay: beta1 } };
    replaceData(backend, m, pass({ ...first, expression: `${moment}slope[index]` }, [m, gradient]));
    const second = { key: "adamSecond", inputs: ["moment", "slope"], floats: { decay: beta2 } };
    replaceData(backend, v, pass({ ...second, expression: `${moment}(slope[index] * slope[index])` }, [v, gradient]));
    return pass({
      key: "adamValue",
      inputs: ["value", "first", "second"],
      floats: {
        kept: 1 - learningRate * weightDecay,
        rate: learningRate / (1 - beta1 ** step),
        correction: 1 / (1 - beta2 ** step),
        epsilon,
      },
      expression: "uniforms.kept * value[index]" +
        " - uniforms.rate * first[index] / (sqrt(second[index] * uniforms.correction) + uniforms.epsilon)",
    }, [value, m, v]);
  },
);

/** One step of gradient descent with momentum: a pass for the velocity, one for the value. */
export const sgdStep = webgpuKernel<Record<"value" | "gradient" | "velocity", Info>, SgdStepAttrs>(
  SGD_STEP,
  ({ inputs: { value, gradient, velocity }, attrs: { learningRate, weightDecay, momentum }, backend }) => {
    const pass = passOver(backend, value.shape);
    const next = pass({
      key: "sgdVelocity",
      inputs: ["velocity", "slope", "value"],
      floats: { momentum, weightDecay },
      expression: "uniforms.momentum * velocity[index] + slope[index] + uniforms.weightDecay * value[index]",
    }, [velocity, gradient, value]);
    replaceData(backend, velocity, next);
    return pass({
      key: "sgdValue",
      inputs: ["value", "velocity"],
      floats: { rate: learningRate },
      expression: "value[index] - uniforms.rate * velocity[index]",
    }, [value, velocity]);
  },
);

function passOver(backend: WebGPUBackend, shape: number[]) {
  return (shader: Omit<Elementwise, "shape">, inputs: Info[]) => runElementwise(backend, { ...shader, shape }, inputs);
}

/** Gives a tensor the data of another, which is freed: the nearest to writing in place, as a shader reads its inputs only. */
function replaceData(backend: WebGPUBackend, tensor: Info, by: Info): void {
  const old = backend.tensorMap.get(tensor.dataId), fresh = backend.tensorMap.get(by.dataId);
  const { resource } = fresh;
  Object.assign(fresh, { resource: old.resource });
  // What was read of the old data is kept on the host, and must not be taken for the new.
  Object.assign(old, { resource, values: null });
  backend.disposeData(by.dataId);
}
