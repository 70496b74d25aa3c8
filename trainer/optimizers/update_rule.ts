import * as tf from "@tensorflow/tfjs";

/** An algorithm of gradient descent: how one variable follows its gradient. */
export interface UpdateRule {
  /** How many tensors it remembers for each variable; each has the variable's shape and is zero at first. */
  slotCount: number;
  /** One step of one variable; the caller assigns the result and owns the tensors in it. */
  update(move: Move): Moved;
}

/** What a step of one variable starts from. */
export interface Move {
  variable: tf.Variable;
  /** Shaped like the variable, clipped already. */
  gradient: tf.Tensor;
  /** May be written to in place. */
  slots: tf.Tensor[];
  learningRate: number;
  /** 0 for a variable that does not decay. */
  weightDecay: number;
  /** The number of this step, from 1. */
  step: number;
}

/** What a step of one variable ends with. */
export interface Moved {
  /** New memory, never the variable's own: engines keep packed copies of the filters that they have seen. */
  value: tf.Tensor;
  /** The same tensors where they were written to in place, new ones otherwise. */
  slots: tf.Tensor[];
}

/** A rule's step composed of tensor operations, which leaves behind only what it returns. */
export function composedMove(compute: () => { value: tf.Tensor; slots: tf.Tensor[] }): Moved {
  const [value, ...slots] = tf.tidy(() => {
    const { value, slots } = compute();
    return [value, ...slots];
  });
  return { value, slots };
}
