import type { Dataset, Group } from "h5wasm";
import { messageOf, ModelError } from "../../../shared/errors.ts";
import type { StoredTensor } from "./safetensors.ts";

/** What the file starts with. */
const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/** Whether bytes are an HDF5 file's. */
export function isHdf5(bytes: Uint8Array): boolean {
  return SIGNATURE.every((byte, i) => bytes[i] === byte);
}

/**
 * Reads the weights that Keras wrote as HDF5: the legacy `.h5` of weights or of a whole model, by any version since Keras 1, or
 * the `.weights.h5` of Keras 3.
 *
 * @param bytes the whole file
 * @param file its name, for errors
 * @returns tensors by `layer/weight`, where the weight is called as tf.layers calls it: `conv1/kernel`
 * @throws {ModelError} if the file is damaged or has no weights as Keras keeps them
 */
export async function readKerasHdf5(bytes: Uint8Array, file: string): Promise<Map<string, StoredTensor>> {
  const { File, ready } = await import("h5wasm");
  const library = await ready;
  // Without it, the library prints what is wrong with a file and goes on.
  library.activate_throwing_error_handler();
  const path = `${crypto.randomUUID()}.h5`;
  library.FS.writeFile(path, bytes);
  try {
    const root = new File(path, "r");
    try {
      return readWeights(root);
    } finally {
      root.close();
    }
  } catch (error) {
    throw new ModelError(`The weight file ${file} is damaged or not Keras's (${causeOf(error)}); download it again.`);
  } finally {
    library.FS.unlink(path);
  }
}

/** The library's errors are a stack of lines `#001: file line 1 in function(): what`, the first cause last. */
function causeOf(error: unknown): string {
  const message = messageOf(error);
  const stack = [...message.matchAll(/^\s*#\d+: .*\(\): (.*)$/gm)];
  return stack.at(-1)?.[1] ?? message.split("\n")[0];
}

function readWeights(root: Group): Map<string, StoredTensor> {
  const names = root.keys();
  const top = names.includes("model_weights") ? root.get("model_weights") as Group : root;
  const groups = top.keys().map((name) => ({ name, group: top.get(name) as Group }));
  const tensors = groups.flatMap(({ name, group }) =>
    name === "layers" ? group.keys().flatMap((key) => readKeras3(group.get(key) as Group)) : readLegacy(name, group)
  );
  if (tensors.length === 0) throw new Error("it has no layers with weights");
  return new Map(tensors);
}

/** The names of a layer's datasets stand in an attribute, in the order of its weights. */
function readLegacy(layer: string, group: Group): [string, StoredTensor][] {
  if (group.attrs?.weight_names === undefined) return [];
  // No names at all come as an array of numbers.
  const names = Array.from(group.attrs.weight_names.value as string[]);
  // The weights of a model within the model are all in its group.
  const owners = new Set(names.map((name) => name.split("/").slice(0, -1).join("/")));
  return names.map((name) => {
    const owner = owners.size > 1 ? name.split("/").at(-2)! : layer;
    return [`${owner}/${weightOf(name)}`, stored(group.get(name) as Dataset)];
  });
}

/** Datasets are numbered in the order of the layer's weights, the layer's name is an attribute. */
function readKeras3(group: Group): [string, StoredTensor][] {
  const variables = group.get("vars") as Group | null;
  const layer = variables?.attrs.name?.value;
  if (variables === null || layer === undefined) return [];
  const datasets = variables.keys().map((key) => variables.get(key) as Dataset);
  const names = datasets.length === 4 ? ["gamma", "beta", "moving_mean", "moving_variance"] : ["kernel", "bias"];
  return datasets.map((dataset, i) => [`${layer}/${names[i] ?? i}`, stored(dataset)]);
}

/** What Keras 1 called the variance was the variance, too. */
const KERAS_1: Record<string, string> = {
  ...{ W: "kernel", b: "bias", running_mean: "moving_mean", running_std: "moving_variance" },
};

/** `kernel` of `conv1/kernel:0` and of Keras 1's `conv1_W:0`. */
function weightOf(name: string): string {
  const last = name.split("/").at(-1)!.replace(/:\d+$/, "");
  const old = Object.keys(KERAS_1).find((suffix) => last.endsWith(`_${suffix}`));
  if (old !== undefined) return KERAS_1[old];
  return /_(gamma|beta)$/.exec(last)?.[1] ?? last;
}

function stored(dataset: Dataset): StoredTensor {
  const value = dataset.value;
  const isFloat = value instanceof Float32Array || value instanceof Float64Array;
  return {
    dtype: String(dataset.dtype),
    shape: [...dataset.shape ?? []],
    read: () => {
      if (isFloat) return new Float32Array(value);
      throw new ModelError(`The tensor ${dataset.path} is of type ${dataset.dtype}; only float32 weights can be used.`);
    },
  };
}
