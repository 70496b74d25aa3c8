/** A place in a picture, in pixels from its top left corner. */
export interface Point {
  x: number;
  y: number;
}

/** Turns, scales and shifts: `x' = a x - b y + tx`, `y' = b x + a y + ty`. It has no mirror and no shear. */
export interface Similarity {
  a: number;
  b: number;
  tx: number;
  ty: number;
}

/**
 * The similarity that brings points nearest to others, in the least squares (Umeyama 1991; in the plane, where it may not
 * mirror, the rotation needs no singular values).
 *
 * @param from at least two points that do not coincide
 * @param to as many
 */
export function similarityOf(from: readonly Point[], to: readonly Point[]): Similarity {
  const p = meanOf(from), q = meanOf(to);
  let dot = 0, cross = 0, squares = 0;
  from.forEach((point, i) => {
    const x = point.x - p.x, y = point.y - p.y, u = to[i].x - q.x, v = to[i].y - q.y;
    dot += x * u + y * v;
    cross += x * v - y * u;
    squares += x * x + y * y;
  });
  const a = dot / squares, b = cross / squares;
  return { a, b, tx: q.x - a * p.x + b * p.y, ty: q.y - b * p.x - a * p.y };
}

/** Where a similarity brings a point. */
export function transform({ a, b, tx, ty }: Similarity, { x, y }: Point): Point {
  return { x: a * x - b * y + tx, y: b * x + a * y + ty };
}

/** The similarity that undoes another. */
export function inverseOf({ a, b, tx, ty }: Similarity): Similarity {
  const squared = a * a + b * b;
  const c = a / squared, d = -b / squared;
  return { a: c, b: d, tx: -(c * tx - d * ty), ty: -(d * tx + c * ty) };
}

/** The middle of points. */
export function meanOf(points: readonly Point[]): Point {
  const sum = points.reduce((sum, { x, y }) => ({ x: sum.x + x, y: sum.y + y }), { x: 0, y: 0 });
  return { x: sum.x / points.length, y: sum.y / points.length };
}
