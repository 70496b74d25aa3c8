import type { ScoredBox } from "./box.ts";

/** Width and height of the boxes that the network starts from, in cells (TinyFaceDetector of face-api). */
const ANCHORS = [
  [1.603231, 2.094468],
  [6.041143, 7.080126],
  [2.882459, 3.518061],
  [4.266906, 5.178857],
  [9.041765, 10.66308],
];
/** The side of a cell, pixels. */
const CELL = 32;
/** The numbers of a box: x, y, width, height, score. */
const NUMBERS = 5;

/**
 * Reads the boxes of a YOLO v2 grid (Redmon and Farhadi 2017, figure 3).
 *
 * @param grid `[cells, cells, 25] float32`
 * @param size of the input, pixels, a multiple of 32
 * @param minScore of the boxes that are read, 0..1
 * @returns boxes in shares of the input's side
 */
export function boxesOfGrid(grid: Float32Array, size: number, minScore: number): ScoredBox[] {
  const cells = size / CELL;
  const boxes: ScoredBox[] = [];
  for (let row = 0, at = 0; row < cells; row++) {
    for (let column = 0; column < cells; column++) {
      for (const [anchorWidth, anchorHeight] of ANCHORS) {
        const score = sigmoid(grid[at + 4]);
        if (score >= minScore) {
          const width = Math.exp(grid[at + 2]) * anchorWidth / cells;
          const height = Math.exp(grid[at + 3]) * anchorHeight / cells;
          const x = (column + sigmoid(grid[at])) / cells - width / 2;
          const y = (row + sigmoid(grid[at + 1])) / cells - height / 2;
          boxes.push({ x, y, width, height, score });
        }
        at += NUMBERS;
      }
    }
  }
  return boxes;
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
