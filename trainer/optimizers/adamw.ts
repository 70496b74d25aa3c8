import * as tf from "@tensorflow/tfjs";
import { ADAM_STEP, type AdamStepAttrs, hasKernel, runKernel } from "../engines/kernel_names.ts";
import { composedMove, type Move, type Moved, type UpdateRule } from "./update_rule.ts";

/** Decay of the first and of the second moment, as in the paper. */
const BETA1 = 0.9, BETA2 = 0.999;
/** Added to the root of the corrected second moment, as in Keras. */
const EPSILON = 1e-7;

/**
 * Adam (Kingma and Ba 2015, algorithm 1) with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2): beside its
 * step, a variable shrinks by `learningRate * weightDecay` of itself, which the moments do not see. Without decay it
 * is Adam, equal to `tf.train.adam`.
 *
 * Slots: first moment, second moment.
 */
export const adamW: UpdateRule = {
  slotCount: 2,
  update(move) {
    const { learningRate, weightDecay, step } = move;
    const attributes = { learningRate, weightDecay, step, beta1: BETA1, beta2: BETA2, epsilon: EPSILON };
    return hasKernel(ADAM_STEP) ? fused(move, attributes) : composed(move, attributes);
  },
};

function fused({ variable, gradient, slots }: Move, attributes: AdamStepAttrs): Moved {
  const [m, v] = slots;
  const [value] = runKernel(ADAM_STEP, { value: variable, gradient, m, v }, attributes);
  return { value, slots };
}

function composed({ variable, gradient, slots }: Move, attributes: AdamStepAttrs): Moved {
  const { learningRate, weightDecay, beta1, beta2, epsilon, step } = attributes;
  return composedMove(() => {
    const m = tf.add(tf.mul(slots[0], beta1), tf.mul(gradient, 1 - beta1));
    const v = tf.add(tf.mul(slots[1], beta2), tf.mul(tf.square(gradient), 1 - beta2));
    const root = tf.sqrt(tf.div(v, 1 - beta2 ** step));
    const change = tf.div(tf.mul(m, learningRate / (1 - beta1 ** step)), tf.add(root, epsilon));
    const kept = weightDecay === 0 ? variable : tf.mul(variable, 1 - learningRate * weightDecay);
    return { value: tf.sub(kept, change), slots: [m, v] };
  });
}
