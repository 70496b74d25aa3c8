import type { LandmarksSpec } from "../card.ts";
import { type Image, normalize } from "../image/mod.ts";
import type { Box } from "./box.ts";
import type { Network } from "./network.ts";
import { inverseOf, type Point, type Similarity, transform } from "./similarity.ts";
import { warp } from "./warp.ts";

/**
 * Finds the 68 points of the iBUG 300-W scheme in a face: 0 to 16 the jaw, 17 to 26 the brows, 27 to 35 the nose, 36 to 47 the
 * eyes, 48 to 67 the mouth, each from the picture's left to its right.
 *
 * @param box in which a detector saw the face
 * @returns in pixels of the photo
 */
export async function findLandmarks(image: Image, box: Box, run: Network, spec: LandmarksSpec): Promise<Point[]> {
  const { size } = spec;
  const toSquare = squareAround(box, size);
  const pixels = warp(image, toSquare, size);
  const [shares] = await run(normalize(pixels, { channels: 3, ...spec }), size, size);
  const back = inverseOf(toSquare);
  return Array.from(
    { length: shares.length / 2 },
    (_, i) => transform(back, { x: shares[2 * i] * size, y: shares[2 * i + 1] * size }),
  );
}

/** From the photo to the smallest square around a box. */
function squareAround({ x, y, width, height }: Box, size: number): Similarity {
  const a = size / Math.max(width, height);
  return { a, b: 0, tx: size / 2 - a * (x + width / 2), ty: size / 2 - a * (y + height / 2) };
}
