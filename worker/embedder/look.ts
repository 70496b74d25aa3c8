import type { Card, FaceSpec } from "../../shared/card.ts";
import { ImageError } from "../../shared/errors.ts";
import {
  type Face,
  type FaceNetworks,
  failedMeasures,
  findFaces,
  type Network,
  type QualityMeasure,
} from "../../shared/face/mod.ts";
import { decode, toInputPixels } from "../../shared/image/mod.ts";
import type { FaceFiles, GraphFiles, ModelFiles } from "../../shared/model_files.ts";
import { compilePlan } from "./plan/plan.ts";
import { release } from "./release.ts";

/** Where a face is on an image, and how good it is. */
export type FoundFace = Omit<Face, "pixels">;

/** What the network is shown of an image: all of it, or one of its faces, upright. */
export interface Sight {
  /** `[height, width, channels]` 8-bit, of the network's size */
  pixels: Uint8Array<ArrayBuffer>;
  /** Of a model of faces. */
  face?: FoundFace;
}

/**
 * From the bytes of an image file to what the network is shown of it: of a model of faces all that were found, the largest
 * first, perhaps none; otherwise one. It throws ImageError for what is no usable image.
 */
export type Look = (image: Uint8Array) => Promise<Sight[]>;

/** Which faces of an image are meant: by their number the largest is 1; `one` is the only one that there is. */
export type FaceChoice = "largest" | "all" | "one" | number;

/** Looks at whole images, as a model does that has no domain. */
export function wholeImage({ input }: Pick<Card, "input">): Look {
  return async (image) => [{ pixels: await toInputPixels(image, input) }];
}

/**
 * How a model looks at images. It takes away the weights of the networks that find faces, as `openEmbedder` does.
 *
 * @throws {UncoveredGraphError} if no plan can be made of one
 */
export async function openLook({ card, face }: ModelFiles): Promise<Look> {
  if (card.face === undefined || face === undefined) return wholeImage(card);
  const networks = await planFaceNetworks(face, card.face);
  const model = { input: card.input, face: card.face };
  return async (image) => {
    const faces = await findFaces(await decode(image), networks, model);
    return faces.map(({ pixels, ...face }) => ({ pixels, face }));
  };
}

/**
 * The networks that find faces, as plans.
 *
 * @throws {UncoveredGraphError} if no plan can be made of one
 */
export async function planFaceNetworks(files: FaceFiles, spec: FaceSpec): Promise<FaceNetworks> {
  return {
    detector: await networkOf(files.detector, spec.detector.size),
    refiner: await networkOf(files.refiner, spec.refiner.size),
    landmarks: await networkOf(files.landmarks, spec.landmarks.size),
  };
}

/**
 * What is meant of what was seen.
 *
 * @throws {ImageError} `no-face` if there is none, or none of that number; `several-faces` if one is asked for
 */
export function chosen(sights: readonly Sight[], choice: FaceChoice): readonly Sight[] {
  const count = sights.length;
  if (count === 0) throw new ImageError("no-face", "No face was found on the image; send one that shows a face.");
  if (choice === "all") return sights;
  if (choice === "one" && count > 1) {
    throw new ImageError(
      "several-faces",
      `There are ${count} faces on the image; send one with a single face, or say which with face=largest or face=1 to ${count}.`,
    );
  }
  const place = typeof choice === "number" ? choice - 1 : 0;
  if (place < count) return [sights[place]];
  throw new ImageError("no-face", `There is no face ${choice} on the image; it shows ${count}, the largest is face=1.`);
}

async function networkOf(files: GraphFiles, size: number): Promise<Network> {
  const plan = await compilePlan(files, { height: size, width: size, channels: 3 });
  release(files.weights);
  return (input) => Promise.resolve([plan.run(input)]);
}

const FAILURES: Record<QualityMeasure, string> = {
  eyeDistance: "it is too small",
  sharpness: "it is blurred",
  roll: "it leans to a side",
  yaw: "it is turned to a side",
  pitch: "it looks up or down",
  brightness: "it is too dark or too bright",
  contrast: "it has too little contrast",
};

/** @throws {ImageError} `poor-face` that names the measures, if it is not good enough to be enrolled */
export function assertGoodEnough({ quality }: FoundFace, { face }: Pick<Card, "face">): void {
  const failed = face === undefined ? [] : failedMeasures(quality, face.quality);
  if (failed.length === 0) return;
  const reasons = failed.map((measure) =>
    `${FAILURES[measure]} (${measure} ${Number(quality[measure].toPrecision(3))})`
  );
  throw new ImageError(
    "poor-face",
    `The face is not good enough to be enrolled: ${reasons.join(", ")}; take another photo, or send quality=any.`,
  );
}
