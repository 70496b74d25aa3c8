/**
 * Euclidean distance of two L2-normalised embeddings, between 0 (the same direction) and 2 (opposite directions).
 *
 * @param a `[dim] float32`, unit length
 * @param b `[dim] float32`, unit length
 */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Math.sqrt(squaredDistance(a, b));
}

/** The square of {@linkcode distance}: orders alike, and takes no root. */
export function squaredDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = a[i] - b[i];
    sum += difference * difference;
  }
  return sum;
}

/** Cosine similarity from the Euclidean distance of two unit vectors: `1 - distance^2 / 2`. */
export function similarityOf(distance: number): number {
  return 1 - distance * distance / 2;
}

/** Cosine similarity of two vectors of any length; NaN if one is zero. */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let dot = 0, aa = 0, bb = 0;
  for (let i = 0; i < a.length; i++) {
    dot += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  return dot / Math.sqrt(aa * bb);
}
