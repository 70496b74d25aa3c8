import { BATCH_NORM_FIXED_GRAD, BATCH_NORM_TRAINING, BATCH_NORM_TRAINING_GRAD } from "../../kernel_names.ts";
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

interface GradInputs {
  dy: Info;
  x: Info;
  gamma: Info;
  mean: Info;
  variance: Info;
}

/**
 * Gradient of {@link batchNormTraining}, derived by hand. With `n` rows, `r = 1 / sqrt(variance + epsilon)` and
 * `xhat = (x - mean) r`: `dbeta = sum dy`, `dgamma = sum dy xhat`, `dx = gamma r (dy - dbeta / n - xhat dgamma / n)`
 * (Ioffe and Szegedy 2015, section 3). One pass for the sums, one for `dx`.
 */
export const batchNormTrainingGrad = wasmKernel<GradInputs, { epsilon: number }>(
  BATCH_NORM_TRAINING_GRAD,
  ({ inputs: { dy, x, gamma, mean, variance }, attrs: { epsilon }, backend }) => {
    const channels = gamma.shape[0];
    const dx = allocate(backend, x.shape);
    const dgamma = allocate(backend, [channels]);
    const dbeta = allocate(backend, [channels]);
    const [gradient, image, g, m, v] = [dy, x, gamma, mean, variance].map((tensor) => floats(backend, tensor));
    const [to, dg, db] = [dx, dgamma, dbeta].map((tensor) => floats(backend, tensor));
    const rows = image.length / channels;

    const { plain, weighted } = gradientSums(gradient, image, m);
    const perGradient = new Float32Array(channels);
    const perInput = new Float32Array(channels);
    const constant = new Float32Array(channels);
    for (let c = 0; c < channels; c++) {
      const r = 1 / Math.sqrt(v[c] + epsilon);
      dg[c] = weighted[c] * r;
      db[c] = plain[c];
      perGradient[c] = g[c] * r;
      perInput[c] = -g[c] * r * r * r * weighted[c] / rows;
      constant[c] = -g[c] * r * plain[c] / rows - perInput[c] * m[c];
    }
    for (let i = 0; i < to.length; i += channels) {
      for (let c = 0; c < channels; c++) {
        to[i + c] = gradient[i + c] * perGradient[c] + image[i + c] * perInput[c] + constant[c];
      }
    }
    return [dx, dgamma, dbeta];
  },
);

/**
 * Gradient of batch normalisation by given statistics: `dbeta = sum dy`, `dgamma = sum dy xhat`, `dx = gamma r dy`, with
 * `r` and `xhat` as above.
 */
export const batchNormFixedGrad = wasmKernel<GradInputs, { epsilon: number }>(
  BATCH_NORM_FIXED_GRAD,
  ({ inputs: { dy, x, gamma, mean, variance }, attrs: { epsilon }, backend }) => {
    const channels = gamma.shape[0];
    const dx = allocate(backend, x.shape);
    const dgamma = allocate(backend, [channels]);
    const dbeta = allocate(backend, [channels]);
    const [gradient, image, g, m, v] = [dy, x, gamma, mean, variance].map((tensor) => floats(backend, tensor));
    const [to, dg, db] = [dx, dgamma, dbeta].map((tensor) => floats(backend, tensor));
    const { plain, weighted } = gradientSums(gradient, image, m);
    const scale = new Float32Array(channels);
    for (let c = 0; c < channels; c++) {
      const r = 1 / Math.sqrt(v[c] + epsilon);
      dg[c] = weighted[c] * r;
      db[c] = plain[c];
      scale[c] = g[c] * r;
    }
    for (let i = 0; i < to.length; i += channels) {
      for (let c = 0; c < channels; c++) to[i + c] = gradient[i + c] * scale[c];
    }
    return [dx, dgamma, dbeta];
  },
);

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
