import type * as tf from "@tensorflow/tfjs";
import type { NameMap } from "./names.ts";
import type { StoredTensor } from "./safetensors.ts";

/** What Keras's ResNets add to the variance, beyond what ours add. */
const EPSILON_DIFFERENCE = 1.001e-5 - 1e-5;

/**
 * Makes the tensors of a ResNet of keras.applications those of ours, exactly: the biases of its convolutions go into the
 * means of the normalisations behind them, the greater epsilon of these into their variances, and the stem, which takes blue
 * first, is turned to take red first. The network then expects RGB as `caffe` in `PIXEL_SCALES`.
 *
 * @param tensors by `layer/weight`
 * @returns as `tensors`, without the biases
 */
export function fromKerasResNet(
  model: tf.LayersModel,
  tensors: ReadonlyMap<string, StoredTensor>,
  nameOf: NameMap,
): Map<string, StoredTensor> {
  const turned = new Map(tensors);
  const change = (name: string, read: (tensor: StoredTensor) => Float32Array<ArrayBuffer>) => {
    const tensor = turned.get(name);
    if (tensor) turned.set(name, { ...tensor, read: () => read(tensor) });
  };
  for (const { name } of model.layers) {
    const convolution = nameOf(name), normalization = nameOf(`${name}_bn`);
    if (convolution === undefined || normalization === undefined) continue;
    const bias = turned.get(`${convolution}/bias`)?.read();
    turned.delete(`${convolution}/bias`);
    if (bias) change(`${normalization}/moving_mean`, (mean) => mean.read().map((value, i) => value - bias[i]));
    change(`${normalization}/moving_variance`, (tensor) => tensor.read().map((value) => value + EPSILON_DIFFERENCE));
  }
  change(`${nameOf("stem")}/kernel`, reversedInputs);
  return turned;
}

/** A kernel `[height, width, in, out]` with its inputs in the opposite order. */
function reversedInputs({ shape, read }: StoredTensor): Float32Array<ArrayBuffer> {
  const [inputs, filters] = shape.slice(-2);
  const values = read();
  return values.map((_, i) => {
    const input = Math.floor(i / filters) % inputs;
    return values[i + (inputs - 1 - 2 * input) * filters];
  });
}
