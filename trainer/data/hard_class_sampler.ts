import { permutation, randomStream } from "../random.ts";
import { type PkOptions, pkSampler, type Sampler } from "./sampler.ts";
import { rowsByIdentity, shuffledPasses } from "./sampler_draws.ts";

/**
 * PK batches of identities that the network confuses: an identity, the `floor(P / 2)` nearest to it, and for the rest
 * of P others at random, so that what is easy is not forgotten. Every identity leads a batch in shuffled passes over
 * all of them. Images are drawn as {@linkcode pkSampler} does, but afresh for each batch.
 *
 * After Suh et al. 2019, "Stochastic Class-based Hard Example Mining for Deep Metric Learning", with the mean embedding
 * of an identity in place of a learned signature.
 *
 * A batch is a function of step and neighbours.
 *
 * @param labels identity of each row
 * @param neighbours as {@linkcode neighboursOf} gives them for the same labels; undefined for plain PK batches, before
 * there is an embedding to go by
 * @throws {DataError} if there are not two rows of one identity and one of another
 */
export function hardClassSampler(
  labels: ArrayLike<number>,
  neighbours: readonly Int32Array[] | undefined,
  options: PkOptions,
): Sampler {
  if (!neighbours) return pkSampler(labels, options);
  const { identitiesPerBatch, imagesPerIdentity, seed } = options;
  const rows = rowsByIdentity(labels);
  const perBatch = Math.min(identitiesPerBatch, rows.length);
  const leaderAt = shuffledPasses(rows.length, seed, "hard class leaders");
  return (step) => {
    const random = randomStream(seed, "hard classes", step);
    const leader = leaderAt(step);
    const nearest = neighbours[leader].subarray(0, Math.floor(perBatch / 2));
    const identities = [...new Set([leader, ...nearest, ...permutation(rows.length, random)])].slice(0, perBatch);
    return identities.flatMap((identity) => {
      const own = rows[identity];
      if (own.length === 1) return own;
      const order = permutation(own.length, random);
      return Array.from({ length: imagesPerIdentity }, (_, k) => own[order[k % own.length]]);
    });
  };
}

/**
 * For each identity the others nearest to it, by the Euclidean distance of their mean embeddings; the first to appear
 * where two are equally near. Identities are numbered in the order of their first appearance.
 *
 * Takes time proportional to `identities^2 dim`.
 *
 * @param embeddings `[rows, dim] float32`, row by row
 * @param labels identity of each row, `[rows]`
 * @param count how many of the nearest to give; `floor(P / 2)` is what {@linkcode hardClassSampler} uses
 * @returns numbers of identities by ascending distance, `[min(count, identities - 1)] int32` for each identity
 * @throws {DataError} if there are not two rows of one identity and one of another
 */
export function neighboursOf(embeddings: Float32Array, labels: ArrayLike<number>, count: number): Int32Array[] {
  const dimensions = embeddings.length / labels.length;
  const means = rowsByIdentity(labels).map((rows) => meanOf(rows, embeddings, dimensions));
  return means.map((mean, identity) => {
    const distances = means.map((other) => squaredDistance(mean, other));
    const others = [...means.keys()].filter((other) => other !== identity);
    others.sort((a, b) => distances[a] - distances[b]);
    return Int32Array.from(others.slice(0, count));
  });
}

function meanOf(rows: readonly number[], embeddings: Float32Array, dimensions: number): Float64Array {
  const mean = new Float64Array(dimensions);
  for (const row of rows) {
    for (let k = 0; k < dimensions; k++) mean[k] += embeddings[row * dimensions + k] / rows.length;
  }
  return mean;
}

function squaredDistance(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += (a[k] - b[k]) ** 2;
  return sum;
}
