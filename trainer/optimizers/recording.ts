import * as tf from "@tensorflow/tfjs";

/** A computation that was differentiable and is over; its gradient can still be had, once. */
export interface Recording<Output extends tf.Tensor> {
  /** To be disposed by the caller. */
  output: Output;
  /**
   * Goes back through the computation, and forgets it.
   *
   * @param dy the gradient of something by the output, shaped like it
   * @param variables what to differentiate by
   * @returns new tensors by the names of the variables that the output depends on
   */
  gradients(dy: tf.Tensor, variables: readonly tf.Variable[]): tf.NamedTensorMap;
}

/**
 * Computes, and remembers how, so that what the output is good for can be found out in between, over an `await`:
 * `tf.variableGrads` wants to know it in the same breath.
 *
 * @param compute of tensors and variables; all that it makes but its output is disposed when the gradient was taken
 */
export function record<Output extends tf.Tensor>(compute: () => Output): Recording<Output> {
  const engine = tf.engine();
  let tape: typeof engine.state.activeTape = [];
  const recorded = () => {
    const output = compute();
    // Taken off, so that tfjs neither goes back through these operations now nor disposes what they saved.
    tape = engine.state.activeTape.splice(0);
    return output;
  };
  const anything = tf.scalar(0);
  const { value: output } = engine.gradients(recorded, [anything], undefined, true);
  anything.dispose();
  return {
    output,
    gradients(dy, variables) {
      const replayed = () => {
        engine.state.activeTape.push(...tape);
        tape = [];
        return output;
      };
      const { grads } = engine.gradients(replayed, [...variables] as tf.Tensor[], dy, true);
      const reached = variables.flatMap((variable, i) => grads[i] ? [[variable.name, grads[i]] as const] : []);
      return Object.fromEntries(reached);
    },
  };
}
