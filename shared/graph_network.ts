import { io } from "@tensorflow/tfjs-core";
import { type GraphModel, loadGraphModel } from "@tensorflow/tfjs-converter";
import type { GraphFiles } from "./model_files.ts";

/**
 * Loads the graph of a model directory into tfjs, on the backend that is in use.
 *
 * @returns a network whose `predict` takes `[batch, height, width, channels] float32` to `[batch, dim] float32`
 */
export function loadGraphNetwork(
  { modelJson, weights }: GraphFiles,
): Promise<GraphModel> {
  const { modelTopology, signature, format, generatedBy } = modelJson;
  return loadGraphModel(io.fromMemory({
    modelTopology,
    signature,
    format,
    generatedBy,
    weightSpecs: modelJson.weightsManifest.flatMap((group) => group.weights) as io.WeightsManifestEntry[],
    weightData: weights.byteLength === weights.buffer.byteLength ? weights.buffer : weights.slice().buffer,
  }));
}
