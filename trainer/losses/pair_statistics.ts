/**
 * Mean of a matrix without its diagonal; 0 for a single row.
 *
 * @param matrix `[n * n]` row by row
 */
export function meanOffDiagonal(matrix: Float32Array, n: number): number {
  if (n < 2) return 0;
  let sum = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) if (i !== j) sum += matrix[i * n + j];
  }
  return sum / (n * (n - 1));
}

/** Number of ordered pairs of different rows of one identity. */
export function countPositivePairs(labels: Int32Array): number {
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  let pairs = 0;
  for (const count of counts.values()) pairs += count * (count - 1);
  return pairs;
}

/** Number of ordered pairs of rows of different identities. */
export function countNegativePairs(labels: Int32Array): number {
  return labels.length * (labels.length - 1) - countPositivePairs(labels);
}

/** Whether any row has both another of its identity and one of a different identity. */
export function holdsTriplet(labels: Int32Array): boolean {
  return countPositivePairs(labels) > 0 && countNegativePairs(labels) > 0;
}
