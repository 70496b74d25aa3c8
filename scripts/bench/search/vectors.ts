/** Components of a vector. */
export const DIMENSIONS = 128;
/** Numbers that a vector is made of: embeddings spread in fewer directions than they have components. */
const LATENT = 32;

/** Unit vectors, one behind the other. */
export interface Vectors {
  count: number;
  /** `[count, DIMENSIONS] float32` */
  values: Float32Array<ArrayBuffer>;
}

/** One of the vectors: a view. */
export function vectorOf({ values }: Vectors, index: number): Float32Array<ArrayBuffer> {
  return values.subarray(index * DIMENSIONS, (index + 1) * DIMENSIONS);
}

/** Unit vectors, the same for the same seed: normal in 32 directions that are the same for all seeds. */
export function makeVectors(count: number, seed: number): Vectors {
  const directions = Float32Array.from({ length: LATENT * DIMENSIONS }, normalFrom(1));
  const normal = normalFrom(seed), values = new Float32Array(count * DIMENSIONS), sum = new Float64Array(DIMENSIONS);
  for (let vector = 0; vector < count; vector++) {
    sum.fill(0);
    for (let direction = 0; direction < LATENT; direction++) {
      const along = normal();
      for (let i = 0; i < DIMENSIONS; i++) sum[i] += along * directions[direction * DIMENSIONS + i];
    }
    const length = Math.hypot(...sum);
    for (let i = 0; i < DIMENSIONS; i++) values[vector * DIMENSIONS + i] = sum[i] / length;
  }
  return { count, values };
}

/** Normal numbers by the sum of twelve uniform ones, of the xorshift generator (Marsaglia 2003). */
function normalFrom(seed: number): () => number {
  let state = seed;
  return () => {
    let sum = -6;
    for (let i = 0; i < 12; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      sum += (state >>> 0) / 2 ** 32;
    }
    return sum;
  };
}
