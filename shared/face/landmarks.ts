import type { LandmarksSpec } from "../card.ts";
import { type Image, normalize } from "../image/mod.ts";
import type { Box } from "./box.ts";
import { framed, squareAround } from "./frame.ts";
import type { Network } from "./network.ts";
import type { Point } from "./similarity.ts";

/**
 * Finds the 68 points of the iBUG 300-W scheme in a face: 0 to 16 the jaw, 17 to 26 the brows, 27 to 35 the nose, 36 to 47 the
 * eyes, 48 to 67 the mouth, each from the picture's left to its right.
 *
 * @param box in which a detector saw the face
 * @returns in pixels of the photo
 */
export async function findLandmarks(image: Image, box: Box, run: Network, spec: LandmarksSpec): Promise<Point[]> {
  const { size } = spec;
  const square = squareAround(box, 0);
  const [shares] = await run(normalize(await framed(image, square, size), { channels: 3, ...spec }), size, size);
  return Array.from(
    { length: shares.length / 2 },
    (_, i) => ({ x: square.x + shares[2 * i] * square.width, y: square.y + shares[2 * i + 1] * square.height }),
  );
}
