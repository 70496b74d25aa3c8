import type { ScoredBox } from "./box.ts";

/** The grids of BlazeFace: the side of a cell in pixels, and how many boxes a cell has. */
const GRIDS = [{ side: 16, boxes: 2 }, { side: 32, boxes: 6 }];
/** Of a box: its score, the place of its middle seen from that of its cell, width, height, and six places in the face. */
const NUMBERS = 17;

/**
 * Reads the boxes of BlazeFace (Bazarevsky et al. 2019, section 3.3).
 *
 * @param rows `[boxes, 17] float32`, those of the finer grid first, cell by cell
 * @param size of the input, pixels
 * @param minScore of the boxes that are read, 0..1
 * @returns boxes in shares of the input's side
 */
export function boxesOfAnchors(rows: Float32Array, size: number, minScore: number): ScoredBox[] {
  const found: ScoredBox[] = [];
  let at = 0;
  for (const { side, boxes } of GRIDS) {
    const cells = size / side;
    for (let i = 0; i < cells * cells * boxes; i++, at += NUMBERS) {
      const score = 1 / (1 + Math.exp(-rows[at]));
      if (!(score >= minScore)) continue;
      const cell = Math.floor(i / boxes);
      const width = rows[at + 3] / size, height = rows[at + 4] / size;
      const x = (side * (cell % cells + 0.5) + rows[at + 1]) / size - width / 2;
      const y = (side * (Math.floor(cell / cells) + 0.5) + rows[at + 2]) / size - height / 2;
      found.push({ x, y, width, height, score });
    }
  }
  return found;
}
