import type { DetectorSpec, RefinerSpec } from "../card.ts";
import { type Image, normalize } from "../image/mod.ts";
import { boxesOfAnchors } from "./anchors.ts";
import { type Box, type ScoredBox, suppressOverlaps } from "./box.ts";
import { framed, squareAround } from "./frame.ts";
import { boxesOfGrid } from "./grid.ts";
import type { FaceNetworks, Network } from "./network.ts";

/** How the two detectors are used. */
export interface DetectionSpecs {
  readonly detector: DetectorSpec;
  readonly refiner: RefinerSpec;
}

/**
 * Finds the faces of a photo in two looks: one network sees the whole photo and proposes where faces may be, another sees each
 * of these places close up and says whether it is a face, and where exactly. Both see black beyond the photo's edge. A face
 * that fills the photo is proposed only where there is a border around it, which makes others small: so borders are tried in
 * turn until a face is found.
 *
 * @returns boxes in pixels of the photo, highest score first
 */
export async function detectFaces(
  image: Image,
  networks: Pick<FaceNetworks, "detector" | "refiner">,
  { detector, refiner }: DetectionSpecs,
): Promise<ScoredBox[]> {
  const photo = { x: 0, y: 0, width: image.width, height: image.height };
  const faces: ScoredBox[] = [];
  for (const border of detector.borders) {
    const whole = squareAround(photo, border);
    for (const proposal of await look(image, whole, networks.detector, detector, boxesOfAnchors)) {
      const closeUp = squareAround(proposal, refiner.border);
      const [face] = await look(image, closeUp, networks.refiner, refiner, boxesOfGrid);
      if (face !== undefined) faces.push(face);
    }
    if (faces.length > 0) break;
  }
  return suppressOverlaps(faces, refiner.maxOverlap);
}

/** The boxes that a network sees in a square of the photo, highest score first. */
async function look(
  image: Image,
  square: Box,
  run: Network,
  spec: DetectorSpec | RefinerSpec,
  boxesOf: (output: Float32Array, size: number, minScore: number) => ScoredBox[],
): Promise<ScoredBox[]> {
  const { size, minScore, maxOverlap } = spec;
  const [output] = await run(normalize(await framed(image, square, size), { channels: 3, ...spec }), size, size);
  const boxes = boxesOf(output, size, minScore).map((box) => ({
    x: square.x + box.x * square.width,
    y: square.y + box.y * square.height,
    width: box.width * square.width,
    height: box.height * square.height,
    score: box.score,
  }));
  return suppressOverlaps(boxes, maxOverlap);
}
