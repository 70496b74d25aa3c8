/**
 * Normalised mutual information of two labellings of the same images, the entropies' arithmetic mean as the norm: 1 where
 * each tells the other, 0 where they are independent (Strehl and Ghosh 2002, Cluster ensembles). It is not corrected for chance.
 *
 * @param a `[n]`, any numbers
 * @param b `[n]`
 */
export function normalizedMutualInformation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const inA = entropy(Array.from(a)), inB = entropy(Array.from(b));
  if (inA === 0 && inB === 0) return 1;
  const both = entropy(Array.from(a, (label, i) => `${label} ${b[i]}`));
  return Math.min(1, Math.max(0, inA + inB - both) / ((inA + inB) / 2));
}

/** In nats; summed in order of size, so that labellings that differ in names alone agree to the bit. */
function entropy(labels: readonly (number | string)[]): number {
  const counts = [...Map.groupBy(labels, (label) => label).values()].map(({ length }) => length).sort((a, b) => a - b);
  return counts.reduce((sum, count) => sum - count / labels.length * Math.log(count / labels.length), 0);
}
