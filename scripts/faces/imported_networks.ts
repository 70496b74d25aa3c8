import type * as tf from "@tensorflow/tfjs";
import { packageFile } from "../../shared/package_file.ts";
import { createEmbedder } from "../../trainer/models/embedder.ts";
import { faceLandmarks } from "../../trainer/models/faces/face_landmarks.ts";
import { tinyFaceDetector } from "../../trainer/models/faces/tiny_face_detector.ts";
import { type FaceApiWeights, loadFaceApi } from "../../trainer/models/weights/face_api.ts";

/** Our networks with the weights of npm `@vladmandic/face-api`. */
export interface ImportedNetworks {
  readonly embedder: tf.LayersModel;
  readonly detector: tf.LayersModel;
  readonly landmarks: tf.LayersModel;
}

/** What face-api calls its files. */
const FILES = {
  embedder: "face_recognition_model",
  detector: "tiny_face_detector_model",
  landmarks: "face_landmark_68_model",
  /** The detector that face-api takes unless told otherwise. */
  defaultDetector: "ssd_mobilenetv1_model",
};

/** Builds the three networks on the engine in use, and fills them. */
export async function importedNetworks(): Promise<ImportedNetworks> {
  const input = { height: 150, width: 150, channels: 3 } as const;
  const networks = {
    embedder: createEmbedder({ backbone: "face-resnet", input, dimensions: 128, seed: 1 }),
    detector: tinyFaceDetector(),
    landmarks: faceLandmarks(),
  };
  for (const part of ["embedder", "detector", "landmarks"] as const) {
    await loadFaceApi(networks[part], await faceApiWeights(part));
  }
  return networks;
}

/** The files of one network in the npm package. */
export async function faceApiWeights(part: keyof typeof FILES): Promise<FaceApiWeights> {
  const read = (ending: string) => Deno.readFile(packageFile(`@vladmandic/face-api/model/${FILES[part]}${ending}`));
  return { manifest: await read("-weights_manifest.json"), data: await read(".bin") };
}
