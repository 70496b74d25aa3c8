/** An upright rectangle in pixels of a photo; it may reach over the photo's edge. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A box in which a detector saw a face, and how sure it was, 0..1. */
export interface ScoredBox extends Box {
  score: number;
}

/** The area that two boxes share, as a share of what both cover: 0 apart, 1 equal. */
export function overlapOf(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (a.width * a.height + b.width * b.height - shared);
}

/**
 * Non-maximum suppression: of boxes that overlap by more than so much, the one with the highest score stays.
 *
 * @param most overlap of two that both stay, 0..1
 * @returns by score, highest first
 */
export function suppressOverlaps<T extends ScoredBox>(boxes: readonly T[], most: number): T[] {
  const kept: T[] = [];
  for (const box of boxes.toSorted((a, b) => b.score - a.score)) {
    if (kept.every((other) => overlapOf(box, other) <= most)) kept.push(box);
  }
  return kept;
}
