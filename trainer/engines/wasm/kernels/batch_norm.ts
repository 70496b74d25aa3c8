import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { BATCH_NORM_FIXED_GRAD, BATCH_NORM_TRAINING, BATCH_NORM_TRAINING_GRAD } from "../../kernel_names.ts";
import type { BatchNormGradInputs } from "../../tensor_info.ts";
import { allocate, floats, type Info, wasmKernel } from "../heap.ts";

/**
 * Batch normalisation over the last axis with the batch's own statistics: one pass for the sums (shifted by the first row,
 * in double precision, so that a large mean costs no accuracy), one for the result.
 */
export const batchNormTraining = wasmKernel<{ x: Info; gamma: Info; beta: Info }, { epsilon: number }>(
  BATCH_NORM_TRAINING,
  ({ inputs: { x, gamma, beta }, attrs: { epsilon }, backend }) => {
    const channels = gamma.shape[0];
    const y = allocate(backend, x.shape);
    const mean = allocate(backend, [channels]);
    const variance = allocate(backend, [channels]);
    moments(floats(backend, x), floats(backend, mean), floats(backend, variance));
    const scale = new Float32Array(channels);
    const offset = new Float32Array(channels);
    const [g, b, m, v] = [gamma, beta, mean, variance].map((tensor) => floats(backend, tensor));
    for (let c = 0; c < channels; c++) {
      scale[c] = g[c] / Math.sqrt(v[c] + epsilon);
      offset[c] = b[c] - m[c] * scale[c];
    }
    scaleAndShift(floats(backend, x), scale, offset, floats(backend, y));
    return [y, mean, variance];
  },
);

/**
 * Gradient of {@link batchNormTraining}, derived by hand. With `n` rows, `r = 1 / sqrt(variance + epsilon)` and
 * `xhat = (x - mean) r`: `dbeta = sum dy`, `dgamma = sum dy xhat`, `dx = gamma r (dy - dbeta / n - xhat dgamma / n)`
 * (Ioffe and Szegedy 2015, section 3). One pass for the sums, one for `dx`.
 */
export const batchNormTrainingGrad = wasmKernel<BatchNormGradInputs, { epsilon: number }>(
  BATCH_NORM_TRAINING_GRAD,
  ({ inputs, attrs: { epsilon }, backend }) => {
    const { outputs, dx, dy, x, mean, r, scale, sums } = gradientByChannel(inputs, epsilon, backend);
    const channels = mean.length, rows = x.length / channels;
    const perInput = scale.map((value, c) => -value * r[c] * r[c] * sums.weighted[c] / rows);
    const constant = scale.map((value, c) => -value * sums.plain[c] / rows - perInput[c] * mean[c]);
    for (let i = 0; i < dx.length; i += channels) {
      for (let c = 0; c < channels; c++) dx[i + c] = dy[i + c] * scale[c] + x[i + c] * perInput[c] + constant[c];
    }
    return outputs;
  },
);

/**
 * Gradient of batch normalisation by given statistics: `dbeta = sum dy`, `dgamma = sum dy xhat`, `dx = gamma r dy`, with
 * `r` and `xhat` as above.
 */
export const batchNormFixedGrad = wasmKernel<BatchNormGradInputs, { epsilon: number }>(
  BATCH_NORM_FIXED_GRAD,
  ({ inputs, attrs: { epsilon }, backend }) => {
    const { outputs, dx, dy, scale } = gradientByChannel(inputs, epsilon, backend);
    const channels = scale.length;
    for (let i = 0; i < dx.length; i += channels) {
      for (let c = 0; c < channels; c++) dx[i + c] = dy[i + c] * scale[c];
    }
    return outputs;
  },
);

/** The gradients of `gamma` and `beta`, and what that of `x` is made from: `r`, and `scale = gamma r`. */
function gradientByChannel(inputs: BatchNormGradInputs, epsilon: number, backend: BackendWasm) {
  const { shape } = inputs.gamma;
  const outputs = [allocate(backend, inputs.x.shape), allocate(backend, shape), allocate(backend, shape)];
  const [dx, dgamma, dbeta] = outputs.map((tensor) => floats(backend, tensor));
  const { dy, x, gamma, mean, variance } = inputs;
  const [gradient, image, g, m, v] = [dy, x, gamma, mean, variance].map((tensor) => floats(backend, tensor));
  const sums = gradientSums(gradient, image, m);
  const r = v.map((value) => 1 / Math.sqrt(value + epsilon));
  dgamma.set(sums.weighted.map((sum, c) => sum * r[c]));
  dbeta.set(sums.plain);
  return { outputs, dx, dy: gradient, x: image, mean: m, r, scale: g.map((value, c) => value * r[c]), sums };
}

function moments(x: Float32Array, mean: Float32Array, variance: Float32Array): void {
  const channels = mean.length;
  const rows = x.length / channels;
  const shift = x.slice(0, channels);
  const sums = new Float64Array(channels);
  const squares = new Float64Array(channels);
  for (let i = 0; i < x.length; i += channels) {
    for (let c = 0; c < channels; c++) {
      const value = x[i + c] - shift[c];
      sums[c] += value;
      squares[c] += value * value;
    }
  }
  for (let c = 0; c < channels; c++) {
    const shifted = sums[c] / rows;
    mean[c] = shifted + shift[c];
    variance[c] = Math.max(0, squares[c] / rows - shifted * shifted);
  }
}

function scaleAndShift(x: Float32Array, scale: Float32Array, offset: Float32Array, y: Float32Array): void {
  const channels = scale.length;
  for (let i = 0; i < x.length; i += channels) {
    for (let c = 0; c < channels; c++) y[i + c] = x[i + c] * scale[c] + offset[c];
  }
}

/** For each channel the sum of `dy`, and of `dy (x - mean)`. */
function gradientSums(dy: Float32Array, x: Float32Array, mean: Float32Array) {
  const channels = mean.length;
  const plain = new Float64Array(channels);
  const weighted = new Float64Array(channels);
  for (let i = 0; i < x.length; i += channels) {
    for (let c = 0; c < channels; c++) {
      plain[c] += dy[i + c];
      weighted[c] += dy[i + c] * (x[i + c] - mean[c]);
    }
  }
  return { plain, weighted };
}
