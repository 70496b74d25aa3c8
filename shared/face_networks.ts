import { type Tensor, tensor4d, tidy } from "@tensorflow/tfjs-core";
import type { FaceNetworks, Network } from "./face/mod.ts";
import { loadGraphNetwork } from "./graph_network.ts";
import type { FaceFiles, GraphFiles } from "./model_files.ts";

/** Loads the networks that find faces into tfjs, on the backend that is in use. */
export async function loadFaceNetworks({ detector, refiner, landmarks }: FaceFiles): Promise<FaceNetworks> {
  return { detector: await load(detector), refiner: await load(refiner), landmarks: await load(landmarks) };
}

async function load(files: GraphFiles): Promise<Network> {
  const network = await loadGraphNetwork(files);
  return async (input, height, width) => {
    const output = tidy(() => network.predict(tensor4d(input, [1, height, width, 3])) as Tensor);
    try {
      return [await output.data<"float32">()];
    } finally {
      output.dispose();
    }
  };
}
