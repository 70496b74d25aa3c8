import * as tf from "@tensorflow/tfjs";
import { detectFaces, findFaces, framed, squareAround } from "../../../shared/face/mod.ts";
import { type Image, imageOf } from "../../../shared/image/mod.ts";
import { readModelFiles } from "../../../shared/model_files.ts";
import { planFaceNetworks } from "../../../worker/embedder/look.ts";
import { createPlanEmbedder } from "../../../worker/embedder/plan.ts";
import { type FaceApi, type FaceApiFace, loadFaceApiPackage } from "../../faces/face_api.ts";

/** The border that tight portraits need for face-api to find faces, as a share of the longer side. */
const BORDER = 0.5;

/** The stages from a photo to an embedding, each with all before it. */
export interface Contender {
  /** How many faces there are. */
  detect(photo: Image): Promise<number>;
  /** The same, and their landmarks. */
  align(photo: Image): Promise<number>;
  /** The embedding of the largest face, of unit length; none where there is no face. */
  embed(photo: Image): Promise<Float32Array | undefined>;
  /** The same of a portrait, which may fill the photo. */
  embedPortrait(photo: Image): Promise<Float32Array | undefined>;
}

/** A model directory as the worker runs it. */
export async function triptych(directory: string): Promise<Contender> {
  const model = await readModelFiles(directory);
  const { card: { input, face: spec }, face: files } = model;
  const networks = await planFaceNetworks(files!, spec!);
  const embedder = await createPlanEmbedder(model);
  const find = (photo: Image) => findFaces(photo, networks, { input, face: spec! });
  const embed = async (photo: Image) => {
    const [largest] = await find(photo);
    return largest && await embedder.embed(largest.pixels);
  };
  return {
    detect: async (photo) => (await detectFaces(photo, networks, spec!)).length,
    align: async (photo) => (await find(photo)).length,
    embed,
    embedPortrait: embed,
  };
}

/**
 * face-api as its README uses it, by its name: with the default detector, and with the small one at 320 pixels. Portraits are
 * given a black border, without which it finds hardly any face that fills the photo.
 */
export async function faceApis(): Promise<Record<string, Contender>> {
  const api = await loadFaceApiPackage();
  return {
    "face-api, default detector": faceApiWith(api),
    "face-api, TinyFaceDetector at 320": faceApiWith(api, new api.TinyFaceDetectorOptions({ inputSize: 320 })),
  };
}

function faceApiWith(api: FaceApi, options?: object): Contender {
  const run = async <T>(photo: Image, use: (faces: ReturnType<FaceApi["detectAllFaces"]>) => PromiseLike<T>) => {
    const pixels = rgbOf(photo);
    try {
      return await use(api.detectAllFaces(pixels, options));
    } finally {
      pixels.dispose();
    }
  };
  const embed = async (photo: Image) => {
    const faces = await run(photo, (faces) => faces.withFaceLandmarks().withFaceDescriptors());
    const area = ({ detection: { box } }: FaceApiFace) => box.width * box.height;
    const descriptor = faces.toSorted((a, b) => area(b) - area(a)).at(0)?.descriptor;
    const length = Math.hypot(...descriptor ?? []);
    return descriptor?.map((value) => value / length);
  };
  return {
    detect: async (photo) => (await run(photo, (faces) => faces)).length,
    align: async (photo) => (await run(photo, (faces) => faces.withFaceLandmarks())).length,
    embed,
    embedPortrait: async (photo) => embed(await bordered(photo)),
  };
}

async function bordered(photo: Image): Promise<Image> {
  const square = squareAround({ x: 0, y: 0, width: photo.width, height: photo.height }, BORDER);
  const size = Math.round(square.width);
  return imageOf(await framed(photo, square, size), { width: size, height: size, channels: 3 });
}

function rgbOf({ data, width, height }: Image): tf.Tensor3D {
  return tf.tidy(() => tf.slice(tf.tensor3d(Int32Array.from(data), [height, width, 4], "int32"), 0, [-1, -1, 3]));
}
