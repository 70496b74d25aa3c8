import { DataError } from "../../shared/errors.ts";

/** Embeddings of images whose identities are known. */
export interface Labelled {
  /** `[n, dim] float32`, row by row. */
  readonly embeddings: Float32Array;
  /** Identity of each row, `[n]`. */
  readonly labels: ArrayLike<number>;
}

/**
 * The embeddings' dimension.
 *
 * @throws {RangeError} if the embeddings do not divide into one row a label
 * @throws {DataError} if an embedding is not finite, which nothing can be ranked by
 */
export function dimensionsOf({ embeddings, labels }: Labelled): number {
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
  return dimensions;
}

/** Euclidean distance of row `i` of `a` and row `j` of `b`; symmetric to the bit, and exactly 0 for equal rows. */
export function rowDistance(a: Float32Array, i: number, b: Float32Array, j: number, dimensions: number): number {
  let p = i * dimensions, q = j * dimensions;
  const end = p + dimensions, unrolled = end - dimensions % 4;
  let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  for (; p < unrolled; p += 4, q += 4) {
    const d0 = a[p] - b[q], d1 = a[p + 1] - b[q + 1], d2 = a[p + 2] - b[q + 2], d3 = a[p + 3] - b[q + 3];
    s0 += d0 * d0;
    s1 += d1 * d1;
    s2 += d2 * d2;
    s3 += d3 * d3;
  }
  for (; p < end; p++, q++) s0 += (a[p] - b[q]) ** 2;
  return Math.sqrt(s0 + s1 + (s2 + s3));
}
