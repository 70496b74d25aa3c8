/**
 * Embeddings as a trained network makes them: each is near the centre of one of many classes.
 *
 * @param seed the centres do not depend on it, so that queries of another seed have vectors near them
 * @returns `[count, dimensions] float32`, unit length
 */
export function clusteredVectors(count: number, dimensions: number, seed: number): Float32Array {
  const CLASSES = 1000, SPREAD = 0.6;
  const centre = generator(0), noise = generator(seed);
  const centres = Float32Array.from({ length: CLASSES * dimensions }, centre);
  const vectors = new Float32Array(count * dimensions);
  for (let i = 0; i < count; i++) {
    const from = Math.floor((noise() + 0.5) * CLASSES) * dimensions;
    let squares = 0;
    for (let j = 0; j < dimensions; j++) {
      const value = centres[from + j] + SPREAD * noise();
      vectors[i * dimensions + j] = value;
      squares += value * value;
    }
    for (let j = 0; j < dimensions; j++) vectors[i * dimensions + j] /= Math.sqrt(squares);
  }
  return vectors;
}

/** Numbers in -0.5..0.5 (xorshift32, Marsaglia 2003). */
function generator(seed: number): () => number {
  let state = (seed + 1) * 0x9e3779b9 >>> 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32 - 0.5;
  };
}
