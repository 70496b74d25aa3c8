/**
 * Weights that others trained, put into our backbones.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import { UsageError } from "../../../shared/errors.ts";
import { type ImportReport, importWeights } from "./import.ts";
import { NAME_MAPS } from "./names.ts";
import { readSafetensors } from "./safetensors.ts";
import { readWeightFile, type WeightSource } from "./source.ts";

export { compareWeights, type ImportReport, importWeights, type ShapeMismatch } from "./import.ts";
export { NAME_MAPS, type NameMap } from "./names.ts";
export { readSafetensors, type StoredTensor } from "./safetensors.ts";
export { readWeightFile, type WeightSource } from "./source.ts";

/**
 * Fills the backbone of a network from a `.safetensors` file under torchvision's or timm's names.
 *
 * @param backbone a key of {@link NAME_MAPS}
 * @returns what was found, and what the file has besides
 * @throws {UsageError} if there is no name map for the backbone, or a URL has no hash
 * @throws {ModelError} if the file cannot be read, is damaged, or does not fit
 */
export async function loadPretrained(
  model: tf.LayersModel,
  backbone: string,
  source: WeightSource,
): Promise<ImportReport> {
  if (!Object.hasOwn(NAME_MAPS, backbone)) {
    const known = Object.keys(NAME_MAPS).join(", ");
    throw new UsageError(`There are no pretrained weights for the backbone ${backbone}; there are for ${known}.`);
  }
  const tensors = readSafetensors(await readWeightFile(source), source.location);
  return importWeights(model, tensors, NAME_MAPS[backbone], source.location);
}
