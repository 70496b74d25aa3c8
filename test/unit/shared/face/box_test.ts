import assert from "node:assert/strict";
import { overlapOf, suppressOverlaps } from "../../../../shared/face/mod.ts";

const box = (x: number, y: number, width: number, height: number, score = 1) => ({ x, y, width, height, score });

Deno.test("overlapOf() is the shared area over the area that both cover", () => {
  assert.equal(overlapOf(box(0, 0, 4, 4), box(0, 0, 4, 4)), 1);
  assert.equal(overlapOf(box(0, 0, 4, 4), box(2, 0, 4, 4)), 8 / 24);
  assert.equal(overlapOf(box(0, 0, 4, 4), box(4, 0, 4, 4)), 0);
  assert.equal(overlapOf(box(0, 0, 4, 4), box(1, 1, 2, 2)), 4 / 16);
});

Deno.test("suppressOverlaps() keeps the surest of boxes that overlap too much, and all that do not", () => {
  const low = box(0, 0, 10, 10, 0.6), high = box(1, 0, 10, 10, 0.9), apart = box(30, 0, 10, 10, 0.5);
  assert.deepEqual(suppressOverlaps([low, apart, high], 0.4), [high, apart]);
  assert.deepEqual(suppressOverlaps([low, apart, high], 0.9), [high, low, apart]);
});

Deno.test("suppressOverlaps() asks only boxes that stay: one that overlaps a suppressed box alone stays", () => {
  const [a, b, c] = [box(0, 0, 10, 10, 0.9), box(5, 0, 10, 10, 0.8), box(10, 0, 10, 10, 0.7)];
  assert.deepEqual(suppressOverlaps([a, b, c], 0.3), [a, c]);
});
