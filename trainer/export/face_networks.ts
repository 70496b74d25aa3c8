import type * as tf from "@tensorflow/tfjs";
import { type FaceFiles, fingerprintOf, type GraphFiles } from "../../shared/model_files.ts";
import { replaceFile } from "../../shared/replace_file.ts";
import { graphOf } from "./fused.ts";
import { toGraphDef } from "./graph_def.ts";
import { encodeWeights, type StorageScheme } from "./quantize.ts";
import { toGraphFiles } from "./write.ts";

/** A network beside the embedder's, as the card names it, and its files. */
export interface ExportedNetwork {
  readonly network: { path: string; fingerprint: string };
  readonly files: GraphFiles;
}

/**
 * Makes a graph model of a network that finds faces.
 *
 * @param name of its files, `NAME.json` and `NAME.bin`, in lower-case letters
 * @param output what the network gives
 * @param scheme how its kernels are stored
 * @throws {ModelError} if it has a layer that cannot be exported
 */
export async function exportFaceNetwork(
  model: tf.LayersModel,
  name: string,
  output: string,
  scheme: StorageScheme,
): Promise<ExportedNetwork> {
  const graph = toGraphDef(await graphOf(model, output));
  const { modelJson, weights } = toGraphFiles(graph, encodeWeights(graph.constants, () => scheme));
  const weightsManifest = modelJson.weightsManifest.map((group) => ({ ...group, paths: [`${name}.bin`] }));
  const files = { modelJson: { ...modelJson, weightsManifest }, weights };
  return { network: { path: `${name}.json`, fingerprint: await fingerprintOf(modelJson, weights) }, files };
}

/** Writes the networks that find faces into a model directory, each as one file of JSON and one of weights. */
export async function writeFaceFiles(directory: string, files: FaceFiles): Promise<void> {
  for (const { modelJson, weights } of Object.values(files) as GraphFiles[]) {
    const [path] = modelJson.weightsManifest[0].paths;
    await replaceFile(`${directory}/${path}`, [weights]);
    const json = new TextEncoder().encode(JSON.stringify(modelJson));
    await replaceFile(`${directory}/${path.replace(/bin$/, "json")}`, [json]);
  }
}
