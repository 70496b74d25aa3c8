/** Vectors of one dimension, `[n, dimensions]`, row by row; in float64, which spares a conversion at every use. */
export interface Rows {
  readonly values: Float64Array;
  readonly dimensions: number;
}

/** Squared Euclidean distance of two rows; symmetric to the bit, and exactly 0 for equal rows. */
export function squaredRowDistance({ values, dimensions }: Rows, i: number, j: number): number {
  let sum = 0;
  for (let p = i * dimensions, q = j * dimensions, end = p + dimensions; p < end; p++, q++) {
    const difference = values[p] - values[q];
    sum += difference * difference;
  }
  return sum;
}

/**
 * Squared distances of every row of `from` to all rows of `to`, the same to the bit as {@linkcode squaredRowDistance}.
 *
 * @returns one row of `from` after another, `[rows of to]`; a result may be overwritten once the next is taken
 */
export function* squaredDistances(from: Rows, to: Rows): Generator<Float64Array> {
  const { dimensions } = from;
  const last = from.values.length / dimensions - 1, others = to.values.length / dimensions;
  const even = new Float64Array(others), odd = new Float64Array(others);
  for (let i = 0; i <= last; i += 2) {
    const rest = i === last;
    twoRows(from.values, i * dimensions, (rest ? i : i + 1) * dimensions, to, even, odd);
    yield even;
    if (!rest) yield odd;
  }
}

/**
 * Squared distances of the rows at `a` and at `b` to all others. Two rows by four at a time: each value that is loaded is
 * used for several distances, which makes it twice as fast as one distance after another.
 */
function twoRows(
  from: Float64Array,
  a: number,
  b: number,
  { values, dimensions }: Rows,
  toA: Float64Array,
  toB: Float64Array,
): void {
  const last = toA.length - 1;
  for (let j = 0; j <= last; j += 4) {
    const j1 = Math.min(j + 1, last), j2 = Math.min(j + 2, last), j3 = Math.min(j + 3, last);
    const p0 = j * dimensions, p1 = j1 * dimensions, p2 = j2 * dimensions, p3 = j3 * dimensions;
    let a0 = 0, a1 = 0, a2 = 0, a3 = 0, b0 = 0, b1 = 0, b2 = 0, b3 = 0;
    for (let d = 0; d < dimensions; d++) {
      const x = from[a + d], y = from[b + d];
      const v0 = values[p0 + d], v1 = values[p1 + d], v2 = values[p2 + d], v3 = values[p3 + d];
      const x0 = x - v0, x1 = x - v1, x2 = x - v2, x3 = x - v3;
      const y0 = y - v0, y1 = y - v1, y2 = y - v2, y3 = y - v3;
      a0 += x0 * x0;
      a1 += x1 * x1;
      a2 += x2 * x2;
      a3 += x3 * x3;
      b0 += y0 * y0;
      b1 += y1 * y1;
      b2 += y2 * y2;
      b3 += y3 * y3;
    }
    toA[j] = a0;
    toA[j1] = a1;
    toA[j2] = a2;
    toA[j3] = a3;
    toB[j] = b0;
    toB[j1] = b1;
    toB[j2] = b2;
    toB[j3] = b3;
  }
}
