/** The largest magnitude of a quantised component. */
export const QUANTIZED_MAX = 127;

/**
 * Quantises a vector to 8 bits with a scale of its own: `vector[i]` is about `scale * quantized[i]`, off by half a scale at
 * most.
 *
 * @param vector `[dim] float32`
 * @param quantized `[dim] int8`, receives -127 to 127, halves rounded away from zero
 * @returns the scale, representable as float32; 0 for the zero vector
 */
export function quantizeVector(vector: Float32Array, quantized: Int8Array): number {
  let largest = 0;
  for (let i = 0; i < vector.length; i++) largest = Math.max(largest, Math.abs(vector[i]));
  const scale = Math.fround(largest / QUANTIZED_MAX);
  if (scale === 0) {
    quantized.fill(0);
    return 0;
  }
  for (let i = 0; i < vector.length; i++) {
    const steps = Math.min(Math.round(Math.abs(vector[i]) / scale), QUANTIZED_MAX);
    quantized[i] = vector[i] < 0 ? -steps : steps;
  }
  return scale;
}
