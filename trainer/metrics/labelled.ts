import { DataError } from "../../shared/errors.ts";
import type { Rows } from "./row_distances.ts";

/** Embeddings of images whose identities are known. */
export interface Labelled {
  /** `[n, dim] float32`, row by row. */
  readonly embeddings: Float32Array;
  /** Identity of each row, `[n]`. */
  readonly labels: ArrayLike<number>;
  /** Identities of further images that gave no embedding, such as photos without a face that was found: errors everywhere. */
  readonly missed?: ArrayLike<number>;
}

/**
 * The embeddings as rows to take distances of.
 *
 * @throws {RangeError} if the embeddings do not divide into one row a label
 * @throws {DataError} if an embedding is not finite, which nothing can be ranked by
 */
export function rowsOf({ embeddings, labels }: Labelled): Rows {
  const dimensions = embeddings.length / labels.length;
  if (!Number.isInteger(dimensions) || dimensions < 1) {
    throw new RangeError(`${embeddings.length} values are not rows of ${labels.length} embeddings`);
  }
  const bad = embeddings.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new DataError(
      `The embedding of image ${Math.floor(bad / dimensions)} is not finite, so the network has diverged; ` +
        "train again with a lower learning rate.",
    );
  }
  return { values: Float64Array.from(embeddings), dimensions };
}

/** How many images each identity has, in the order of first appearance. */
export function countLabels(labels: ArrayLike<number>): Map<number, number> {
  const counts = new Map<number, number>();
  for (const label of Array.from(labels)) counts.set(label, (counts.get(label) ?? 0) + 1);
  return counts;
}
