import assert from "node:assert/strict";
import { principalAxes } from "../../../../worker/gallery/principal_axes.ts";
import { randomFrom, unitVector } from "./records.ts";

const random = randomFrom(3);

/** Points spread along three orthogonal directions, each less than the one before, around a centre. */
function spread(count: number, widths: number[]): Float32Array[] {
  return Array.from({ length: count }, () => {
    const [a, b, c] = widths.map((width) => width * (random() - 0.5));
    return Float32Array.of(5 + a * 0.6 - b * 0.8, 1 + a * 0.8 + b * 0.6, 2 + c, 7);
  });
}

Deno.test("principalAxes() finds the directions in which rows spread most, and their shares", () => {
  const { mean, axes: [first, second], explained } = principalAxes(spread(4000, [4, 2, 1]));
  [5, 1, 2, 7].forEach((value, i) => assert.ok(Math.abs(mean[i] - value) < 0.1));
  assert.ok(Math.abs(first[0] * 0.6 + first[1] * 0.8) > 0.999, String(first));
  assert.ok(Math.abs(second[0] * -0.8 + second[1] * 0.6) > 0.999, String(second));
  [16 / 21, 4 / 21].forEach((share, i) => assert.ok(Math.abs(explained[i] - share) < 0.02, String(explained)));
});

Deno.test("principalAxes() is not misled by rows that lie far out on the lesser of two axes", () => {
  const rows = [Float32Array.of(3, 0, 0), Float32Array.of(-3, 0, 0)];
  for (let i = 0; i < 50; i++) rows.push(Float32Array.of(0, 2, 0), Float32Array.of(0, -2, 0));
  const { axes: [first, second], explained } = principalAxes(rows);
  assert.ok(Math.abs(first[1]) > 0.999 && Math.abs(second[0]) > 0.999, `${first} ${second}`);
  assert.ok(Math.abs(explained[0] - 400 / 418) < 1e-6);
});

Deno.test("principalAxes() puts each row where its difference to the mean, times the axes, lies", () => {
  const rows = Array.from({ length: 30 }, () => unitVector(random));
  const { mean, axes, points } = principalAxes(rows);
  rows.forEach((row, i) => {
    const [x, y] = axes.map((axis) => axis.reduce((sum, value, j) => sum + value * (row[j] - mean[j]), 0));
    assert.ok(Math.hypot(x - points[i].x, y - points[i].y) < 1e-6);
  });
});

Deno.test("principalAxes() of one row, or of equal rows, has that as its mean and no axes", () => {
  for (const rows of [[unitVector(random)], Array(3).fill(Float32Array.of(0.6, 0.8))]) {
    const { mean, axes, explained, points } = principalAxes(rows);
    assert.ok(mean.every((value, i) => Math.abs(value - rows[0][i]) < 1e-6));
    assert.deepEqual([axes.flat().filter((value) => value !== 0), explained], [[], [0, 0]]);
    assert.ok(points.every(({ x, y }) => x === 0 && y === 0));
  }
});
