import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { BATCH_NORM_FIXED_GRAD, BATCH_NORM_TRAINING, BATCH_NORM_TRAINING_GRAD } from "../../kernel_names.ts";
import type { BatchNormGradInputs } from "../../tensor_info.ts";
import { allocate, floats, type Info, sizeOf, wasmKernel } from "../heap.ts";
import { channelSums } from "../native/channel_sums.ts";
import { Workspace } from "../native/workspace.ts";

/**
 * Batch normalisation over the last axis with the batch's own statistics: one pass for the sums (shifted by the first row,
 * so that a large mean costs no accuracy), one for the result.
 */
export const batchNormTraining = wasmKernel<{ x: Info; gamma: Info; beta: Info }, { epsilon: number }>(
  BATCH_NORM_TRAINING,
  ({ inputs: { x, gamma, beta }, attrs: { epsilon }, backend }) => {
    const channels = gamma.shape[0], rows = sizeOf(x) / channels;
    using work = new Workspace(backend);
    const y = allocate(backend, x.shape),
      mean = allocate(backend, [channels]),
      variance = allocate(backend, [channels]);
    const image = work.address(x);
    const shift = floats(backend, x).slice(0, channels);
    const [first, second] = channelSums(work, "channelSums", [image, work.put(shift)], rows, channels);
    const means = first.map((sum) => sum / rows);
    floats(backend, mean).set(means.map((value, c) => value + shift[c]));
    floats(backend, variance).set(second.map((sum, c) => Math.max(0, sum / rows - means[c] * means[c])));
    const [g, b, m, v] = [gamma, beta, mean, variance].map((tensor) => floats(backend, tensor));
    const scale = g.map((value, c) => value / Math.sqrt(v[c] + epsilon));
    const offset = b.map((value, c) => value - m[c] * scale[c]);
    work.run("scaleChannels", [image, work.put(scale), work.put(offset), work.address(y), channels], rows);
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
    using work = new Workspace(backend);
    const { outputs, rows, mean, r, scale, first, second } = gradientByChannel(work, inputs, epsilon, backend);
    const perInput = scale.map((value, c) => -value * r[c] * r[c] * second[c] / rows);
    const constant = scale.map((value, c) => -value * first[c] / rows - perInput[c] * mean[c]);
    const [dy, x, dx] = [inputs.dy, inputs.x, outputs[0]].map((tensor) => work.address(tensor));
    const weights = [work.put(perInput), work.put(constant)];
    work.run("combineChannels", [dy, work.put(scale), x, ...weights, dx, scale.length], rows);
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
    using work = new Workspace(backend);
    const { outputs, rows, scale } = gradientByChannel(work, inputs, epsilon, backend);
    const zeros = work.put(new Float32Array(scale.length));
    const [dy, dx] = [inputs.dy, outputs[0]].map((tensor) => work.address(tensor));
    work.run("scaleChannels", [dy, work.put(scale), zeros, dx, scale.length], rows);
    return outputs;
  },
);

/** The gradients of `gamma` and `beta`, and what that of `x` is made from: the sums, `r`, and `scale = gamma r`. */
function gradientByChannel(work: Workspace, inputs: BatchNormGradInputs, epsilon: number, backend: BackendWasm) {
  const { dy, x, gamma, mean, variance } = inputs;
  const channels = gamma.shape[0], rows = sizeOf(x) / channels;
  const outputs = [allocate(backend, x.shape), allocate(backend, gamma.shape), allocate(backend, gamma.shape)];
  const means = floats(backend, mean).slice();
  const addresses = [work.address(dy), work.address(x), work.put(means)];
  const [first, second] = channelSums(work, "gradientSums", addresses, rows, channels);
  const r = floats(backend, variance).map((value) => 1 / Math.sqrt(value + epsilon));
  floats(backend, outputs[1]).set(second.map((sum, c) => sum * r[c]));
  floats(backend, outputs[2]).set(first);
  return {
    outputs,
    rows,
    mean: means,
    r,
    scale: floats(backend, gamma).map((value, c) => value * r[c]),
    first,
    second,
  };
}
