const MOST_STEPS = 100;
const SETTLED = 1e-6;

/** A plane through rows, on which they spread most. */
export interface PrincipalAxes {
  /** `[dim]` */
  mean: number[];
  /** Two rows `[dim]` of unit length, orthogonal to each other; zero where the rows have no more spread. */
  axes: [number[], number[]];
  /** Shares of the rows' variance along each axis. */
  explained: [number, number];
  /** Every row on the plane. */
  points: { x: number; y: number }[];
}

/**
 * The first two principal components (Pearson 1901), by power iteration and deflation. The same rows give the same axes.
 *
 * @param rows at least one, `[dim] float32` each
 */
export function principalAxes(rows: readonly Float32Array[]): PrincipalAxes {
  const dimensions = rows[0].length;
  const mean = Array.from({ length: dimensions }, (_, i) => rows.reduce((sum, row) => sum + row[i], 0) / rows.length);
  const rest = rows.map((row) => Float64Array.from(row, (value, i) => value - mean[i]));
  const total = rest.reduce((sum, row) => sum + dot(row, row), 0);
  const component = () => {
    const axis = widestAxis(rest, dimensions);
    const along = rest.map((row) => dot(row, axis));
    rest.forEach((row, i) => add(row, axis, -along[i]));
    return { axis: [...axis], along, share: total === 0 ? 0 : along.reduce((sum, at) => sum + at * at, 0) / total };
  };
  const first = component(), second = component();
  return {
    mean,
    axes: [first.axis, second.axis],
    explained: [first.share, second.share],
    points: first.along.map((x, i) => ({ x, y: second.along[i] })),
  };
}

/** The direction of the greatest variance: repeated products with the covariance turn any other direction into it. */
function widestAxis(rows: readonly Float64Array[], dimensions: number): Float64Array {
  // Any start will do that is not at right angles to what is sought: one without a pattern.
  let axis = unit(Float64Array.from({ length: dimensions }, (_, i) => Math.sin(1 + i * i)));
  for (let step = 0; step < MOST_STEPS; step++) {
    const product = new Float64Array(dimensions);
    for (const row of rows) add(product, row, dot(row, axis));
    const next = unit(product);
    const moved = 1 - dot(next, axis);
    axis = next;
    if (moved < SETTLED ** 2) break;
  }
  return axis;
}

function unit(vector: Float64Array): Float64Array {
  const length = Math.sqrt(dot(vector, vector));
  return length < SETTLED ** 2 ? new Float64Array(vector.length) : vector.map((value) => value / length);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function add(target: Float64Array, vector: Float64Array, scale: number): void {
  for (let i = 0; i < target.length; i++) target[i] += scale * vector[i];
}
