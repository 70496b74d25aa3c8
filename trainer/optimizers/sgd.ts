import * as tf from "@tensorflow/tfjs";
import { hasKernel, runKernel, SGD_STEP } from "../engines/kernel_names.ts";
import { composedMove, type UpdateRule } from "./update_rule.ts";

/**
 * Stochastic gradient descent with momentum, in PyTorch's form: the velocity is `momentum * velocity + gradient`, and a
 * variable moves by the learning rate times it. (Keras and Sutskever et al. 2013 keep the learning rate in the velocity;
 * the two agree while the rate does not change.) Weight decay is the gradient of an L2 penalty, added to the gradient: He et al.
 * 2016, section 3.4.
 *
 * Slots: velocity.
 *
 * @param momentum 0 for plain gradient descent
 */
export function sgd(momentum: number): UpdateRule {
  return {
    slotCount: 1,
    update({ variable, gradient, slots, learningRate, weightDecay }) {
      if (hasKernel(SGD_STEP)) {
        const inputs = { value: variable, gradient, velocity: slots[0] };
        const [value] = runKernel(SGD_STEP, inputs, { learningRate, weightDecay, momentum });
        return { value, slots };
      }
      return composedMove(() => {
        const slope = weightDecay === 0 ? gradient : tf.add(gradient, tf.mul(variable, weightDecay));
        const velocity = tf.add(tf.mul(slots[0], momentum), slope);
        return { value: tf.sub(variable, tf.mul(velocity, learningRate)), slots: [velocity] };
      });
    },
  };
}
