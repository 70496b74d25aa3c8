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
  const largest = vector.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  const scale = Math.fround(largest / QUANTIZED_MAX);
  if (scale === 0) {
    quantized.fill(0);
    return 0;
  }
  for (let i = 0; i < vector.length; i++) {
    const steps = Math.round(Math.abs(vector[i]) / scale);
    quantized[i] = Math.sign(vector[i]) * Math.min(steps, QUANTIZED_MAX);
  }
  return scale;
}
