import assert from "node:assert/strict";
import { boxesOfAnchors, boxesOfGrid } from "../../../../shared/face/mod.ts";

const near = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-6, `${actual}`);

Deno.test("boxesOfGrid() places a box by its cell, its anchor and its five numbers", () => {
  const grid = new Float32Array(4 * 4 * 25).fill(-10);
  // Row 2, column 1, the third anchor: 2.882459 x 3.518061 cells.
  const at = (2 * 4 + 1) * 25 + 2 * 5;
  grid.set([0, Math.log(3), Math.log(0.5), 0, 2], at);
  const boxes = boxesOfGrid(grid, 128, 0.5);
  assert.equal(boxes.length, 1);
  const [{ x, y, width, height, score }] = boxes;
  near(width, 0.5 * 2.882459 / 4);
  near(height, 3.518061 / 4);
  near(x + width / 2, 1.5 / 4);
  near(y + height / 2, 2.75 / 4);
  near(score, 1 / (1 + Math.exp(-2)));
  assert.deepEqual(boxesOfGrid(grid, 128, 0.9), []);
});

Deno.test("boxesOfAnchors() places a box by its cell in either grid", () => {
  const rows = new Float32Array(896 * 17).fill(-10);
  // Row 3, column 5 of the finer grid, its second box; row 7, column 0 of the coarser, its sixth.
  rows.set([1, 4, -8, 32, 64], ((3 * 16 + 5) * 2 + 1) * 17);
  rows.set([2, 0, 0, 128, 128], (512 + (7 * 8 + 0) * 6 + 5) * 17);
  const [fine, coarse, ...others] = boxesOfAnchors(rows, 256, 0.5);
  assert.deepEqual(others, []);
  near(fine.x + fine.width / 2, (16 * 5.5 + 4) / 256);
  near(fine.y + fine.height / 2, (16 * 3.5 - 8) / 256);
  near(fine.width, 32 / 256);
  near(fine.height, 64 / 256);
  near(coarse.x + coarse.width / 2, 16 / 256);
  near(coarse.y + coarse.height / 2, 240 / 256);
  near(coarse.score, 1 / (1 + Math.exp(-2)));
});
