import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { BATCH_NORM_FIXED_GRAD, BATCH_NORM_TRAINING, BATCH_NORM_TRAINING_GRAD } from "../../kernel_names.ts";
import type { BatchNormGradInputs } from "../../tensor_info.ts";
import { columnSums } from "../column_sums.ts";
import { type Info, reshaped, runElementwise, webgpuKernel } from "../program.ts";

interface Inputs {
  x: Info;
  gamma: Info;
  beta: Info;
}

/**
 * Batch normalisation over the last axis with the batch's own statistics: one pass for the mean, one for the variance
 * about it, one for the result. tfjs's operations would transpose `x` for each of the statistics.
 */
export const batchNormTraining = webgpuKernel<Inputs, { epsilon: number }>(
  BATCH_NORM_TRAINING,
  ({ inputs: { x, gamma, beta }, attrs: { epsilon }, backend }) => {
    const matrix = matrixOf(x, gamma);
    const average = { ...matrix, factor: 1 / matrix.rows };
    const mean = vector(columnSums(backend, { key: "batchMean", inputs: ["x"], terms: ["x[index]"], ...average }, [x]));
    const variance = vector(columnSums(backend, {
      key: "batchVariance",
      inputs: ["x", "average"],
      terms: ["(x[index] - average[channel]) * (x[index] - average[channel])"],
      ...average,
    }, [x, mean]));
    const y = runElementwise(backend, {
      key: "batchNormTraining",
      inputs: ["x", "scale", "offset", "average", "variance"],
      shape: x.shape,
      channels: matrix.channels,
      floats: { epsilon },
      expression: "(x[index] - average[channel]) * (scale[channel] / sqrt(variance[channel] + uniforms.epsilon))" +
        " + offset[channel]",
    }, [x, gamma, beta, mean, variance]);
    return [y, mean, variance];
  },
);

/**
 * Gradient of {@link batchNormTraining}, derived by hand: with `n` rows, `r = 1 / sqrt(variance + epsilon)` and
 * `xhat = (x - mean) r`, `dx = gamma r (dy - dbeta / n - xhat dgamma / n)` (Ioffe and Szegedy 2015, section 3).
 */
export const batchNormTrainingGrad = webgpuKernel<BatchNormGradInputs, { epsilon: number }>(
  BATCH_NORM_TRAINING_GRAD,
  ({ inputs, attrs: { epsilon }, backend }) => {
    const { dy, x, gamma, mean, variance } = inputs;
    const { rows, channels } = matrixOf(x, gamma);
    const sums = gradientSums(backend, inputs);
    const dx = runElementwise(backend, {
      key: "batchNormTrainingGrad",
      inputs: ["dy", "x", "scale", "average", "variance", "sums"],
      shape: x.shape,
      channels,
      floats: { epsilon, share: 1 / rows },
      declarations: `
fn slopeAt(index: i32, channel: i32) -> f32 {
  let v = variance[channel] + uniforms.epsilon;
  let across = (x[index] - average[channel]) * sums[uniforms.channels + channel] / v;
  return scale[channel] / sqrt(v) * (dy[index] - uniforms.share * (sums[channel] + across));
}`,
      expression: "slopeAt(index, channel)",
    }, [dy, x, gamma, mean, variance, sums]);
    return [dx, ...parameterGradients(backend, sums, variance, epsilon)];
  },
);

/** Gradient of batch normalisation by given statistics: `dx = gamma r dy`, and the parameters' as in training. */
export const batchNormFixedGrad = webgpuKernel<BatchNormGradInputs, { epsilon: number }>(
  BATCH_NORM_FIXED_GRAD,
  ({ inputs, attrs: { epsilon }, backend }) => {
    const { dy, x, gamma, variance } = inputs;
    const sums = gradientSums(backend, inputs);
    const dx = runElementwise(backend, {
      key: "batchNormFixedGrad",
      inputs: ["dy", "scale", "variance"],
      shape: x.shape,
      channels: gamma.shape[0],
      floats: { epsilon },
      expression: "dy[index] * (scale[channel] / sqrt(variance[channel] + uniforms.epsilon))",
    }, [dy, gamma, variance]);
    return [dx, ...parameterGradients(backend, sums, variance, epsilon)];
  },
);

/** For each channel the sum of `dy`, and of `dy (x - mean)`: `[2, channels]`. */
function gradientSums(backend: WebGPUBackend, { dy, x, gamma, mean }: BatchNormGradInputs): Info {
  return columnSums(backend, {
    key: "batchNormGradientSums",
    inputs: ["dy", "x", "average"],
    terms: ["dy[index]", "dy[index] * (x[index] - average[channel])"],
    ...matrixOf(x, gamma),
  }, [dy, x, mean]);
}

/** `dgamma` and `dbeta`. Frees the sums. */
function parameterGradients(backend: WebGPUBackend, sums: Info, variance: Info, epsilon: number): Info[] {
  const shape = [sums.shape[1]];
  const dgamma = runElementwise(backend, {
    key: "batchNormGammaGrad",
    inputs: ["sums", "variance"],
    shape,
    floats: { epsilon },
    expression: "sums[uniforms.elements + index] / sqrt(variance[index] + uniforms.epsilon)",
  }, [sums, variance]);
  const dbeta = runElementwise(backend, {
    key: "batchNormBetaGrad",
    inputs: ["sums"],
    shape,
    expression: "sums[index]",
  }, [sums]);
  backend.disposeData(sums.dataId);
  return [dgamma, dbeta];
}

function matrixOf(x: Info, gamma: Info): { rows: number; channels: number } {
  const channels = gamma.shape[0];
  return { rows: x.shape.reduce((product, length) => product * length, 1) / channels, channels };
}

/** `[1, channels]` as `[channels]`. */
function vector(row: Info): Info {
  return reshaped(row, [row.shape[1]]);
}
