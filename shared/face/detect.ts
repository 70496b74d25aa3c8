import type { DetectorSpec } from "../card.ts";
import { type Image, normalize, resize } from "../image/mod.ts";
import { type ScoredBox, suppressOverlaps } from "./box.ts";
import { boxesOfGrid } from "./grid.ts";
import type { Network } from "./network.ts";

/**
 * Finds the faces of a photo. The photo is shown to the detector in the middle of a black square, with a border, since a face
 * that fills the picture is not seen; in one size after the other, until there is a face.
 *
 * @returns boxes in pixels of the photo, highest score first; none if no size shows a face
 */
export async function detectFaces(image: Image, run: Network, spec: DetectorSpec): Promise<ScoredBox[]> {
  for (const size of spec.sizes) {
    const found = await detectAt(image, size, run, spec);
    if (found.length > 0) return found;
  }
  return [];
}

async function detectAt(image: Image, size: number, run: Network, spec: DetectorSpec): Promise<ScoredBox[]> {
  const longer = Math.max(image.width, image.height);
  const scale = size / (longer * (1 + 2 * spec.border));
  const frame = framed(image, size, scale);
  const [grid] = await run(normalize(frame.pixels, { channels: 3, ...spec }), size, size);
  const boxes = boxesOfGrid(grid, spec.minScore).map((box) => ({
    x: (box.x * size - frame.left) / frame.scaleX,
    y: (box.y * size - frame.top) / frame.scaleY,
    width: box.width * size / frame.scaleX,
    height: box.height * size / frame.scaleY,
    score: box.score,
  }));
  return suppressOverlaps(boxes, spec.maxOverlap);
}

/** A photo in the middle of a square, and how its pixels came there. */
interface Framed {
  /** `[size, size, 3]` 8-bit RGB */
  pixels: Uint8Array;
  left: number;
  top: number;
  scaleX: number;
  scaleY: number;
}

function framed(image: Image, size: number, scale: number): Framed {
  const width = Math.max(1, Math.round(image.width * scale)), height = Math.max(1, Math.round(image.height * scale));
  const scaled = resize(image, { x: 0, y: 0, width: image.width, height: image.height }, height, width);
  const left = Math.floor((size - width) / 2), top = Math.floor((size - height) / 2);
  const pixels = new Uint8Array(size * size * 3);
  for (let y = 0; y < height; y++) {
    pixels.set(scaled.subarray(y * width * 3, (y + 1) * width * 3), ((top + y) * size + left) * 3);
  }
  return { pixels, left, top, scaleX: width / image.width, scaleY: height / image.height };
}
