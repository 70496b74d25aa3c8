import * as tf from "@tensorflow/tfjs";
import { type Loss, lossGradient, type LossStatistics } from "./losses/mod.ts";
import type { Outputs } from "./models/split.ts";
import { record } from "./optimizers/mod.ts";

/** How a batch becomes a loss. */
export interface BatchGradientOptions {
  /** The part of the network that trains. */
  forward: (x: tf.Tensor) => Outputs;
  /** Whether the loss sees embeddings of unit length. */
  unitLength: boolean;
  loss: Loss;
  /** What the loss has of its own to train. */
  lossVariables: readonly tf.Variable[];
  /** Images that go through the network at a time; all, unless given. */
  chunkSize?: number | undefined;
}

/** A batch's loss and its gradient. */
export interface BatchGradient {
  value: tf.Scalar;
  /** By the variables' names. */
  gradients: tf.NamedTensorMap;
  /** Mean Euclidean length of the embeddings before they are scaled to unit length. */
  embeddingNorm: tf.Scalar;
  statistics: LossStatistics;
}

/**
 * The loss of a whole batch and its gradient, with no more of the batch in the network at a time than a chunk: the embeddings of
 * all are computed first, the loss is differentiated by them, and then each chunk goes through the network again and
 * back (GradCache: Gao et al. 2021, Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup, section 3).
 *
 * The same as in one piece but for the order of sums, provided that an image's embedding does not depend on the others of
 * its batch, as it does where BatchNorm takes the batch's statistics.
 *
 * @param x the batch, `[batch, ...]`
 * @param labels identity of each row, `[batch]`
 * @param variables what to differentiate by, besides those of the loss
 * @returns tensors to be disposed by the caller
 */
export async function batchGradient(
  x: tf.Tensor,
  labels: Int32Array,
  variables: readonly tf.Variable[],
  options: BatchGradientOptions,
): Promise<BatchGradient> {
  const { forward, unitLength, chunkSize = labels.length } = options;
  const lengths: tf.Tensor[] = [];
  const seenByLoss = (images: tf.Tensor) => {
    const { raw, embeddings } = forward(images);
    lengths.push(tf.keep(tf.tidy(() => tf.sqrt(tf.sum(tf.square(raw), 1)))));
    return unitLength ? embeddings : raw;
  };
  const { judged, byNetwork } = chunkSize >= labels.length
    ? await inOnePiece(x, labels, variables, seenByLoss, options)
    : await inChunks(x, labels, variables, seenByLoss, { ...options, chunkSize });
  // A chunk that went through the network twice counts twice.
  const embeddingNorm = tf.tidy(() => tf.mean(tf.concat(lengths))) as tf.Scalar;
  tf.dispose([judged.byEmbeddings, lengths]);
  const { value, statistics, byVariables } = judged;
  return { value, gradients: { ...byNetwork, ...byVariables }, embeddingNorm, statistics };
}

type SeenByLoss = (images: tf.Tensor) => tf.Tensor2D;

async function inOnePiece(
  x: tf.Tensor,
  labels: Int32Array,
  variables: readonly tf.Variable[],
  seenByLoss: SeenByLoss,
  options: BatchGradientOptions,
) {
  const network = record(() => seenByLoss(x));
  const judged = await lossGradient(labels, network.output, options);
  const byNetwork = network.gradients(judged.byEmbeddings, variables);
  network.output.dispose();
  return { judged, byNetwork };
}

async function inChunks(
  x: tf.Tensor,
  labels: Int32Array,
  variables: readonly tf.Variable[],
  seenByLoss: SeenByLoss,
  { chunkSize, ...options }: BatchGradientOptions & { chunkSize: number },
) {
  const sizes = Array.from(
    { length: Math.ceil(labels.length / chunkSize) },
    (_, i) => Math.min(chunkSize, labels.length - i * chunkSize),
  );
  const chunks = tf.split(x, sizes);
  const embeddings = tf.tidy(() => tf.concat(chunks.map((chunk) => tf.tidy(() => seenByLoss(chunk)))));
  const judged = await lossGradient(labels, embeddings, options);
  const slopes = tf.split(judged.byEmbeddings, sizes);
  let byNetwork: tf.NamedTensorMap = {};
  for (const [i, chunk] of chunks.entries()) {
    const network = record(() => seenByLoss(chunk));
    byNetwork = summed(byNetwork, network.gradients(slopes[i], variables));
    network.output.dispose();
  }
  tf.dispose([chunks, slopes, embeddings]);
  return { judged, byNetwork };
}

/** Disposes both. */
function summed(sums: tf.NamedTensorMap, more: tf.NamedTensorMap): tf.NamedTensorMap {
  return Object.fromEntries(
    Object.entries(more).map(([name, gradient]) => {
      if (!(name in sums)) return [name, gradient];
      const sum = tf.add(sums[name], gradient);
      tf.dispose([sums[name], gradient]);
      return [name, sum];
    }),
  );
}
