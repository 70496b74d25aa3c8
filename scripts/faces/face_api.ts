import * as tf from "@tensorflow/tfjs";
import faceApi from "@vladmandic/face-api/dist/face-api.node-wasm.js";
import { faceApiWeights } from "./imported_networks.ts";

/** A place in a photo, pixels. */
interface FaceApiPoint {
  x: number;
  y: number;
}

/** What face-api finds of one face. */
export interface FaceApiFace {
  detection: { score: number; box: { x: number; y: number; width: number; height: number } };
  landmarks: { positions: FaceApiPoint[] };
  /** `[128] float32`, not normalised. */
  descriptor: Float32Array;
}

interface Net {
  loadFromWeightMap(weights: tf.NamedTensorMap): void;
}

/** The part of face-api that is compared with; it computes on the tfjs backend that is in use. */
export interface FaceApi {
  nets: {
    tinyFaceDetector: Net & { forward(image: tf.Tensor3D, size: number): Promise<tf.Tensor4D> };
    faceLandmark68Net: Net & { forward(image: tf.Tensor3D): Promise<tf.Tensor2D> };
    faceRecognitionNet: Net & { computeFaceDescriptor(image: tf.Tensor3D): Promise<Float32Array> };
    ssdMobilenetv1: Net;
  };
  TinyFaceDetectorOptions: new (options: { inputSize: number; scoreThreshold?: number }) => object;
  /** @param options the default detector's, unless given */
  detectAllFaces(image: tf.Tensor3D, options?: object): PromiseLike<unknown[]> & {
    withFaceLandmarks(): PromiseLike<unknown[]> & { withFaceDescriptors(): PromiseLike<FaceApiFace[]> };
  };
}

/** face-api with the weights of its networks. */
export async function loadFaceApiPackage(): Promise<FaceApi> {
  const api = faceApi as unknown as FaceApi;
  const nets = {
    refiner: api.nets.tinyFaceDetector,
    landmarks: api.nets.faceLandmark68Net,
    embedder: api.nets.faceRecognitionNet,
    defaultDetector: api.nets.ssdMobilenetv1,
  };
  for (const part of Object.keys(nets) as (keyof typeof nets)[]) {
    const { manifest, data } = await faceApiWeights(part);
    const groups: tf.io.WeightsManifestConfig = JSON.parse(new TextDecoder().decode(manifest));
    nets[part].loadFromWeightMap(tf.io.decodeWeights(data.slice().buffer, groups.flatMap(({ weights }) => weights)));
  }
  return api;
}
