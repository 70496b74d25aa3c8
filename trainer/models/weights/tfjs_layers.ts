import * as tf from "@tensorflow/tfjs";
import { dirname } from "node:path";
import { messageOf, ModelError } from "../../../shared/errors.ts";
import type { StoredTensor } from "./safetensors.ts";
import { readFile } from "./source.ts";

/** A tfjs layers model as it is on disk. */
export interface LayersFiles {
  topology: Record<string, unknown>;
  specs: tf.io.WeightsManifestEntry[];
  /** All shards, one after the other. */
  data: Uint8Array<ArrayBuffer>;
}

/**
 * Reads a tfjs layers model from disk: `model.json` and the shards that it names, which lie beside it.
 *
 * @param bytes of `model.json`
 * @param path of `model.json`
 * @throws {ModelError} if it is none, or a shard is missing or too short
 */
export async function readLayersFiles(bytes: Uint8Array, path: string): Promise<LayersFiles> {
  const { modelTopology, weightsManifest } = parse(bytes, path);
  const folder = dirname(path);
  const shards = await Promise.all(
    weightsManifest.flatMap(({ paths }) => paths).map((name) => readFile(`${folder}/${name}`)),
  );
  const data = new Uint8Array(await new Blob(shards).arrayBuffer());
  const specs = weightsManifest.flatMap(({ weights }) => weights);
  const expected = specs.reduce((sum, spec) => sum + bytesOf(spec), 0);
  if (data.length !== expected) {
    throw new ModelError(
      `The weights of the layers model ${path} take ${data.length} bytes instead of ${expected}; copy it again.`,
    );
  }
  return { topology: modelTopology, specs, data };
}

/**
 * The weights of a tfjs layers model.
 *
 * @returns tensors by `layer/weight`, such as `conv1/kernel`
 */
export async function tensorsOf({ specs, data }: LayersFiles): Promise<Map<string, StoredTensor>> {
  const tensors = Object.entries(tf.io.decodeWeights(data.buffer, specs));
  const stored = await Promise.all(tensors.map(async ([name, tensor]): Promise<[string, StoredTensor]> => {
    const values = new Float32Array(await tensor.data());
    tensor.dispose();
    return [name.split("/").slice(-2).join("/"), { dtype: tensor.dtype, shape: tensor.shape, read: () => values }];
  }));
  return new Map(stored);
}

function parse(bytes: Uint8Array, path: string): tf.io.ModelJSON & { modelTopology: Record<string, unknown> } {
  let json: Partial<tf.io.ModelJSON> | null;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new ModelError(`${path} is not JSON (${messageOf(error)}); give the model.json of a tfjs layers model.`);
  }
  const isLayersModel = json?.format !== "graph-model" && typeof json?.modelTopology === "object" &&
    Array.isArray(json.weightsManifest);
  if (!isLayersModel) {
    throw new ModelError(`${path} is no tfjs layers model with weights; convert one to the format tfjs_layers_model.`);
  }
  return json as tf.io.ModelJSON & { modelTopology: Record<string, unknown> };
}

const BYTES: Record<string, number> = { float32: 4, int32: 4, bool: 1, uint8: 1, uint16: 2, float16: 2 };

function bytesOf({ shape, dtype, quantization }: tf.io.WeightsManifestEntry): number {
  return shape.reduce((product, size) => product * size, BYTES[quantization?.dtype ?? dtype]);
}
