import * as tf from "@tensorflow/tfjs";

/** Backends that can be awaited only. */
const AWAITED: readonly string[] = ["webgpu"];

/**
 * Computes something that has to read tensors in the middle, such as a loss that chooses triplets. An engine that can be
 * read at once does it itself; beside another, the wasm engine does, to which the inputs are brought first and where the
 * outputs stay until the engine needs them.
 *
 * @param rows what is computed from
 * @param variables are brought along in place
 * @param compute works on a copy of `rows` and may use the variables; synchronous, because the engine is another meanwhile
 * @returns what `compute` returns; all else that it made is disposed
 */
export async function atHost<Result extends tf.TensorContainer>(
  rows: tf.Tensor2D,
  variables: readonly tf.Variable[],
  compute: (rows: tf.Tensor2D) => Result,
): Promise<Result> {
  const engine = tf.getBackend();
  if (!AWAITED.includes(engine)) return tf.tidy(() => compute(rows.clone()));
  const [values, ...others] = await Promise.all([rows, ...variables].map((tensor) => tensor.data<"float32">()));
  // The backend runs already, so it takes over before the promise is looked at.
  void tf.setBackend("wasm");
  try {
    return tf.tidy(() => {
      variables.forEach((variable, i) => variable.assign(tf.tensor(others[i], variable.shape)));
      return compute(tf.tensor2d(values, rows.shape));
    });
  } finally {
    void tf.setBackend(engine);
  }
}
