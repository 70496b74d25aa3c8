/**
 * `log(sum(exp(x)))` without overflow, and its derivative by each term, which is the softmax.
 *
 * @param x the exponents
 * @param plusOne whether a term `exp(0)` is added; the sum of no terms is then `log(1) = 0`
 */
export function logSumExp(x: ArrayLike<number>, plusOne = false): { value: number; weights: Float64Array } {
  const weights = new Float64Array(x.length);
  let largest = plusOne ? 0 : -Infinity;
  for (let k = 0; k < x.length; k++) largest = Math.max(largest, x[k]);
  let sum = plusOne ? Math.exp(-largest) : 0;
  for (let k = 0; k < x.length; k++) sum += weights[k] = Math.exp(x[k] - largest);
  for (let k = 0; k < x.length; k++) weights[k] /= sum;
  return { value: largest + Math.log(sum), weights };
}
