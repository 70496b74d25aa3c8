import * as tf from "@tensorflow/tfjs";
import type { ConvolutionStep, Plan, Step } from "../../../shared/int8/mod.ts";
import { computationOf, dropper, type Keep, rescaledSum, type Values } from "./simulate.ts";

/**
 * What rounding and clipping add to the mean of each channel is taken from the bias (Nagel et al. 2019, section 4.2), one layer
 * after the other, so that each makes good what those before it left. The means are of some images.
 *
 * @param exact the network in float32
 * @param whole the same network in int8
 * @param batch its input, `[batch, height, width, channels] float32`
 * @returns the biases that are to be written, by the names of the weights
 */
export async function correctedBiases(exact: Plan, whole: Plan, batch: tf.Tensor): Promise<Map<string, Float32Array>> {
  const biases = new Map<string, Float32Array>();
  const values: Values = new Map([[exact.input, batch]]), codes: Values = new Map([[whole.input, batch]]);
  const drop = dropper(exact);
  for (const [i, reference] of exact.steps.entries()) {
    let step: Step = whole.steps[i];
    if ("multiplier" in step && "multiplier" in reference && step.layer.biasName !== null) {
      const wanted = await channelMeans(reference, values), got = await channelMeans(step, codes);
      const error = wanted.map((mean, channel) => mean - got[channel]);
      const { layer: { bias, biasName, scale }, finish: { grid }, offset } = step;
      biases.set(biasName!, bias.map((value, channel) => value + error[channel] / scale[channel]));
      step = { ...step, offset: offset.map((value, channel) => value + error[channel] / (grid?.scale ?? 1)) };
    }
    values.set(step.layer.name, tf.tidy(() => computationOf(reference, passing)(values)));
    codes.set(step.layer.name, tf.tidy(() => computationOf(step, passing)(codes)));
    drop(i, values);
    drop(i, codes);
  }
  const last = exact.steps.at(-1)!.layer.name;
  tf.dispose([values.get(last)!, codes.get(last)!]);
  return biases;
}

const passing: Keep = (tensor) => tensor;

/** The mean of each channel of a convolution before its activation, in the units of the network. */
async function channelMeans(step: ConvolutionStep, values: Values): Promise<Float32Array> {
  const scale = step.finish.grid?.scale ?? 1;
  const means = tf.tidy(() => tf.mul(tf.mean(rescaledSum(step, passing)(values), [0, 1, 2]), scale));
  const read = await means.data<"float32">();
  means.dispose();
  return read;
}
