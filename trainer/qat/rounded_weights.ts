import * as tf from "@tensorflow/tfjs";
import type { Grid } from "../../shared/card.ts";
import type { ConvolutionStep } from "../../shared/int8/mod.ts";
import { WEIGHT_MAX } from "../export/int8/per_channel.ts";
import type { ConvolutionWeights } from "../export/int8/simulate.ts";
import type { FoldedWeights } from "./folded_weights.ts";

const UNIT: Grid = { scale: 1, zero: 0 };

/**
 * Rounds a convolution's weights by the rule of its export: to whole numbers from -127 to 127 with a scale for each output
 * channel. Gradients go straight through to kernel and bias; the scales count as constants.
 *
 * @param folded kernel `[height, width, in, out]`, or `[height, width, channels, 1]` of a depthwise one
 * @param input the grid of what the convolution takes, if it has one
 */
export function roundedWeights(
  { kernel, bias }: FoldedWeights,
  { layer, finish }: ConvolutionStep,
  input: Grid = UNIT,
): ConvolutionWeights {
  const perChannel = layer.depthwise ? [-1, 1] : [-1];
  const { scale } = finish.grid ?? UNIT;
  const scales = constant(() => channelScales(kernel, layer.depthwise));
  const filter = rounded(kernel, tf.reshape(scales, perChannel));
  const multiplier = constant(() => tf.mul(scales, input.scale / scale));
  const own = tf.div(bias, scale);
  if (input.zero === 0) return { filter, multiplier, offset: own };
  const sums = tf.reshape(tf.sum(filter, layer.depthwise ? [0, 1] : [0, 1, 2]), [-1]);
  return { filter, multiplier, offset: tf.sub(own, tf.mul(sums, tf.mul(multiplier, input.zero))) };
}

/** What a whole number stands for in each channel: its largest weight is 127. A channel without weights has any scale. */
function channelScales(kernel: tf.Tensor, depthwise: boolean): tf.Tensor {
  const largest = tf.reshape(tf.max(tf.abs(kernel), depthwise ? [0, 1] : [0, 1, 2]), [-1]);
  return tf.add(tf.div(largest, WEIGHT_MAX), tf.equal(largest, 0));
}

/** Halves are rounded up, as by `Math.round`. */
function rounded(kernel: tf.Tensor, scales: tf.Tensor): tf.Tensor {
  return tf.customGrad((...args) => {
    const [kernel, save] = args as [tf.Tensor, tf.GradSaveFunc];
    save([scales]);
    return {
      value: tf.floor(tf.add(tf.div(kernel, scales), 0.5)),
      gradFunc: (dy: tf.Tensor, [scales]: tf.Tensor[]) => tf.div(dy, scales),
    };
  })(kernel);
}

/** Computes what no gradient goes through. */
function constant(compute: () => tf.Tensor): tf.Tensor {
  return tf.customGrad(() => ({ value: compute(), gradFunc: () => [] }))();
}
