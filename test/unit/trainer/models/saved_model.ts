import type * as tf from "@tensorflow/tfjs";
import { io } from "@tensorflow/tfjs";

/** Runs with the path of a model's `model.json`, written as tfjs writes it, with one shard beside it. */
export async function withSavedModel(model: tf.LayersModel, test: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await model.save(io.withSaveHandler(async (artifacts) => {
      await Deno.writeFile(`${folder}/weights.bin`, new Uint8Array(artifacts.weightData as ArrayBuffer));
      const { modelTopology, format, generatedBy, convertedBy } = artifacts;
      const weightsManifest = [{ paths: ["weights.bin"], weights: artifacts.weightSpecs }];
      const json = { modelTopology, format, generatedBy, convertedBy, weightsManifest };
      await Deno.writeTextFile(`${folder}/model.json`, JSON.stringify(json));
      return { modelArtifactsInfo: io.getModelArtifactsInfoForJSON(artifacts) };
    }));
    await test(`${folder}/model.json`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
