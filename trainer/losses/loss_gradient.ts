import * as tf from "@tensorflow/tfjs";
import { atHost } from "../engines/host.ts";
import type { Loss, LossStatistics } from "./loss.ts";

/** What a loss makes of a batch. */
export interface LossGradient {
  value: tf.Scalar;
  /** By the embeddings, shaped like them. */
  byEmbeddings: tf.Tensor2D;
  /** By each variable that the loss depends on, by its name. */
  byVariables: tf.NamedTensorMap;
  statistics: LossStatistics;
}

/**
 * A loss and its gradient, on any engine. A batch that holds nothing to learn from has a gradient of zeros.
 *
 * @param labels identity of each row, `[batch]`
 * @param embeddings `[batch, dim] float32`
 * @param options.loss reads what it computes at once
 * @param options.lossVariables those of its own that the loss uses
 * @returns tensors to be disposed by the caller
 */
export async function lossGradient(
  labels: Int32Array,
  embeddings: tf.Tensor2D,
  { loss, lossVariables }: { loss: Loss; lossVariables: readonly tf.Variable[] },
): Promise<LossGradient> {
  let statistics: LossStatistics | undefined;
  const { value, byEmbeddings, grads } = await atHost(embeddings, lossVariables, (rows) => {
    const xs: tf.Tensor[] = [rows, ...lossVariables];
    const compute = () => loss(labels, rows, (seen) => statistics = seen);
    const { value, grads } = tf.engine().gradients(compute, xs, undefined, true);
    return { value, byEmbeddings: (grads[0] ?? tf.zerosLike(rows)) as tf.Tensor2D, grads: grads.slice(1) };
  });
  const reached = lossVariables.flatMap(({ name }, i) => grads[i] ? [[name, grads[i]] as const] : []);
  return { value, byEmbeddings, byVariables: Object.fromEntries(reached), statistics: statistics! };
}
