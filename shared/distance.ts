/**
 * Euclidean distance of two L2-normalised embeddings, between 0 (the same direction) and 2 (opposite directions).
 *
 * @param a `[dim] float32`, unit length
 * @param b `[dim] float32`, unit length
 */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = a[i] - b[i];
    sum += difference * difference;
  }
  return Math.sqrt(sum);
}

/** Cosine similarity from the Euclidean distance of two unit vectors: `1 - distance^2 / 2`. */
export function similarityOf(distance: number): number {
  return 1 - distance * distance / 2;
}
