import assert from "node:assert/strict";
import { inverseOf, type Point, similarityOf, transform } from "../../../../shared/face/mod.ts";

const FACE: Point[] = [{ x: 30, y: 40 }, { x: 70, y: 42 }, { x: 51, y: 65 }, { x: 36, y: 85 }, { x: 66, y: 86 }];

function assertNear(actual: Point, expected: Point, tolerance = 1e-9): void {
  assert.ok(Math.hypot(actual.x - expected.x, actual.y - expected.y) <= tolerance, `${actual.x}, ${actual.y}`);
}

Deno.test("similarityOf() finds the rotation, scale and shift that points went through", () => {
  const turn = 0.4, scale = 1.7;
  const moved = { a: scale * Math.cos(turn), b: scale * Math.sin(turn), tx: -12, ty: 30 };
  const found = similarityOf(FACE, FACE.map((point) => transform(moved, point)));
  for (const key of ["a", "b", "tx", "ty"] as const) assert.ok(Math.abs(found[key] - moved[key]) < 1e-9);
});

Deno.test("similarityOf() is nearer to the points than any similarity beside it", () => {
  const to = FACE.map(({ x, y }, i) => ({ x: 2 * x + 3 * Math.sin(7 * i), y: 2 * y - 4 * Math.cos(5 * i) }));
  const errorOf = (similarity: typeof best) =>
    FACE.reduce((sum, point, i) => {
      const { x, y } = transform(similarity, point);
      return sum + (x - to[i].x) ** 2 + (y - to[i].y) ** 2;
    }, 0);
  const best = similarityOf(FACE, to);
  for (const key of ["a", "b", "tx", "ty"] as const) {
    for (const step of [-0.01, 0.01]) assert.ok(errorOf({ ...best, [key]: best[key] + step }) > errorOf(best));
  }
});

Deno.test("similarityOf() turns a mirrored face rather than mirror it", () => {
  const { a, b } = similarityOf(FACE, FACE.map(({ x, y }) => ({ x: -x, y })));
  assert.ok(a * a + b * b > 0);
});

Deno.test("inverseOf() brings points back", () => {
  const similarity = { a: 0.8, b: -0.3, tx: 5, ty: 9 };
  for (const point of FACE) assertNear(transform(inverseOf(similarity), transform(similarity, point)), point);
});
