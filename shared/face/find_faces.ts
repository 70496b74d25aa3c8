import type { FaceSpec, InputSpec } from "../card.ts";
import { type Image, toChannels } from "../image/mod.ts";
import type { ScoredBox } from "./box.ts";
import { detectFaces } from "./detect.ts";
import { findLandmarks } from "./landmarks.ts";
import type { FaceNetworks } from "./network.ts";
import { type FaceQuality, qualityOf } from "./quality.ts";
import { type Point, similarityOf } from "./similarity.ts";
import { warp } from "./warp.ts";

/** A face that was found in a photo. */
export interface Face {
  /** In pixels of the photo. */
  readonly box: ScoredBox;
  /** The 68 points of the iBUG 300-W scheme, in pixels of the photo. */
  readonly landmarks: readonly Point[];
  readonly quality: FaceQuality;
  /** The face upright, as the embedder sees it: `[height, width, channels]` 8-bit pixels. */
  readonly pixels: Uint8Array<ArrayBuffer>;
}

/** Of a card: what faces are aligned for, and how. */
export interface FaceModel {
  /** Square. */
  readonly input: InputSpec;
  readonly face: FaceSpec;
}

/**
 * Finds all faces of a photo, and turns each upright for the embedder.
 *
 * @returns the largest first; none where there is no face
 */
export async function findFaces(image: Image, networks: FaceNetworks, model: FaceModel): Promise<Face[]> {
  const boxes = await detectFaces(image, networks, model.face);
  const faces: Face[] = [];
  for (const box of boxes.toSorted((a, b) => b.width * b.height - a.width * a.height)) {
    const landmarks = await findLandmarks(image, box, networks.landmarks, model.face.landmarks);
    faces.push({ box, landmarks, ...await alignFace(image, landmarks, model) });
  }
  return faces;
}

/** Turns a face upright by the landmarks of the template. */
async function alignFace(image: Image, landmarks: readonly Point[], { input, face: { template } }: FaceModel) {
  const to = similarityOf(template.map(({ landmark }) => landmarks[landmark]), template);
  const rgb = await warp(image, to, input.width);
  return { quality: qualityOf(landmarks, rgb), pixels: toChannels(rgb, input.channels) };
}
