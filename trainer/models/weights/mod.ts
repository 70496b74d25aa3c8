/**
 * Weights that others trained, put into our backbones.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import { UsageError } from "../../../shared/errors.ts";
import { isHdf5, readKerasHdf5 } from "./hdf5.ts";
import { type ImportReport, importWeights } from "./import.ts";
import { KERAS, type Layout, TORCH } from "./layout.ts";
import { readSafetensors, type StoredTensor } from "./safetensors.ts";
import { readWeightFile, type WeightSource } from "./source.ts";
import { readLayersFiles, tensorsOf } from "./tfjs_layers.ts";

export { loadLayersBackbone } from "../layers_backbone.ts";
export { compareWeights, type ImportReport, importWeights, type ShapeMismatch } from "./import.ts";
export { KERAS, type Layout, TORCH } from "./layout.ts";
export { readSafetensors, type StoredTensor } from "./safetensors.ts";
export { readWeightFile, type WeightSource } from "./source.ts";

/**
 * Fills the backbone of a network from a file of weights, which is
 *
 * - `.safetensors` under torchvision's or timm's names,
 * - HDF5 that Keras wrote, of its ResNet50 or ResNet101, or
 * - the `model.json` of such a network as tfjs layers model, from a path.
 *
 * @returns what was found, and what the file has besides
 * @throws {UsageError} if the backbone has no such weights, or a URL has no hash
 * @throws {ModelError} if the file cannot be read, is damaged, or does not fit; the network is then unchanged
 */
export async function loadPretrained(
  model: tf.LayersModel,
  backbone: string,
  source: WeightSource,
): Promise<ImportReport> {
  const layouts = [TORCH, KERAS].filter(({ names }) => Object.hasOwn(names, backbone));
  if (layouts.length === 0) {
    const known = [TORCH, KERAS].flatMap(({ names }) => Object.keys(names)).join(", ");
    throw new UsageError(`There are no pretrained weights for the backbone ${backbone}; there are for ${known}.`);
  }
  const { layout, tensors } = await readWeights(source);
  if (!layouts.includes(layout)) {
    throw new UsageError(
      `${source.location} is a file of ${layout.owner} weights, and those are for ${
        Object.keys(layout.names).join(", ")
      }: for the backbone ${backbone} give ${layouts[0].owner}.`,
    );
  }
  return importWeights(model, backbone, tensors, layout, source.location);
}

async function readWeights(source: WeightSource): Promise<{ layout: Layout; tensors: Map<string, StoredTensor> }> {
  const { location } = source;
  const isLayersModel = /\.json$/.test(location);
  if (isLayersModel && /^https?:/.test(location)) {
    throw new UsageError(
      `A tfjs layers model is more than one file: download ${location} with its shards, give its path.`,
    );
  }
  const bytes = await readWeightFile(source);
  if (isLayersModel) return { layout: KERAS, tensors: await tensorsOf(await readLayersFiles(bytes, location)) };
  if (isHdf5(bytes)) return { layout: KERAS, tensors: await readKerasHdf5(bytes, location) };
  return { layout: TORCH, tensors: readSafetensors(bytes, location) };
}
