import * as tf from "@tensorflow/tfjs";

/** A computation that was differentiable and is over; its gradient can still be had, once. */
export interface Recording<Output extends tf.Tensor> {
  /** To be disposed by the caller. */
  output: Output;
  /**
   * Goes back through the computation, and forgets it: what an operation saved and its output's gradient are freed as
   * soon as it is through, so that memory falls on the way. The output, `dy` and the variables stay.
   *
   * @param dy the gradient of something by the output, shaped like it
   * @param variables what to differentiate by
   * @returns new tensors by the names of the variables that the output depends on
   */
  gradients(dy: tf.Tensor, variables: readonly tf.Variable[]): tf.NamedTensorMap;
}

/** What tfjs remembers of an operation that it has computed. */
type Operation = ReturnType<typeof tf.engine>["state"]["activeTape"][number];

/**
 * Computes, and remembers how, so that what the output is good for can be found out in between, over an `await`:
 * `tf.variableGrads` wants to know it in the same breath.
 *
 * @param compute of tensors and variables; all that it makes but its output is disposed when the gradient was taken
 */
export function record<Output extends tf.Tensor>(compute: () => Output): Recording<Output> {
  const engine = tf.engine();
  let tape: Operation[] = [];
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
    gradients: (dy, variables) => tf.tidy(() => backpropagate(tape.splice(0), output, dy, variables)),
  };
}

/**
 * Reverse-mode differentiation that adds in the order of tfjs's, for the same bits, but holds no more than it must.
 *
 * @param tape in the order of computation; what its operations saved is disposed
 */
function backpropagate(
  tape: Operation[],
  output: tf.Tensor,
  dy: tf.Tensor,
  variables: readonly tf.Variable[],
): tf.NamedTensorMap {
  const dependent = new Set(variables.map(({ id }) => id));
  const path: Operation[] = [];
  for (const operation of tape) {
    if (Object.values(operation.inputs).some(({ id }) => dependent.has(id))) {
      operation.outputs.forEach(({ id }) => dependent.add(id));
      path.push(operation);
    } else tf.dispose(operation.saved!);
  }
  const gradients = new Map([[output.id, dy.clone()]]);
  for (const operation of path.reverse()) {
    const { inputs, outputs, saved } = operation;
    const dys = outputs.map(({ id }) => gradients.get(id));
    const names = Object.keys(inputs).filter((name) => dependent.has(inputs[name].id));
    // An operation without a gradient at any output does not lead to the computation's output.
    const dxs = dys.some((dy) => dy !== undefined) ? inputGradients(operation, dys, names) : [];
    outputs.forEach(({ id }) => gradients.delete(id));
    tf.dispose([dys, saved]);
    dxs.forEach((dx, i) => accumulate(gradients, inputs[names[i]].id, dx));
  }
  const reached = variables.filter(({ id }) => gradients.has(id));
  return Object.fromEntries(reached.map(({ name, id }) => [name, gradients.get(id)!]));
}

/**
 * The gradients of an operation's inputs.
 *
 * @param dys those of its outputs; undefined, which counts as zeros, of one that the computation's output does not use
 * @param names of the inputs
 * @returns tensors of their own: a gradient function may hand on what it was given, or one tensor for two inputs
 */
function inputGradients(
  { kernelName, gradient, inputs, saved }: Operation,
  dys: (tf.Tensor | undefined)[],
  names: string[],
): tf.Tensor[] {
  if (gradient === undefined) throw new Error(`tfjs has no gradient of ${kernelName}`);
  return tf.tidy(() => {
    const compute = gradient(dys as tf.Tensor[]);
    const taken = new Set([...dys, ...saved!]);
    return names.map((name) => {
      const given = tf.tidy(compute[name]);
      tf.util.assertShapesMatch(given.shape, inputs[name].shape, `The gradient of ${kernelName} by ${name}: `);
      const dx = taken.has(given) ? given.clone() : given;
      taken.add(dx);
      return dx;
    });
  });
}

/** Adds to the sum for a tensor; disposes what it adds. */
function accumulate(sums: Map<number, tf.Tensor>, id: number, gradient: tf.Tensor): void {
  const sum = sums.get(id);
  if (sum === undefined) {
    sums.set(id, gradient);
    return;
  }
  sums.set(id, tf.add(sum, gradient));
  tf.dispose([sum, gradient]);
}
