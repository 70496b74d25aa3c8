import * as tf from "@tensorflow/tfjs";
import { messageOf, ModelError, UsageError } from "../../shared/errors.ts";
import { exportableLayers } from "../export/layers.ts";
import { traceModel } from "../export/trace.ts";
import type { Backbone } from "./backbones.ts";
import { readFile } from "./weights/source.ts";
import { type LayersFiles, readLayersFiles } from "./weights/tfjs_layers.ts";

type Layer = tf.layers.Layer;
type Symbolic = tf.SymbolicTensor;

/** Layers that an embedder has itself. */
const TAKEN = new Set(["input", "pool", "head", "embedding"]);

/** What models and inputs are called in a topology. */
const CONTAINERS = ["Model", "Functional", "Sequential", "InputLayer"];

/**
 * Any tfjs layers model as a backbone, with its weights: what it computes, averaged over height and width if it is a feature
 * map. Models within it are taken apart, so that the network can be frozen up to each layer and be exported.
 *
 * @param path of its `model.json`, the shards beside it
 * @returns a backbone that ignores the initialisers
 * @throws {ModelError} if the model cannot be read, or has a layer that cannot be loaded or exported; the backbone, when it is
 *   applied, throws {@link UsageError} if the model takes images of another shape
 */
export async function loadLayersBackbone(path: string): Promise<Backbone> {
  const files = await readLayersFiles(await readFile(path), path);
  refuseUnknownLayers(files, path);
  const model = await load(files, path);
  const rank = model.outputs[0].shape.length;
  if (model.inputs.length !== 1 || model.outputs.length !== 1 || (rank !== 2 && rank !== 4)) {
    throw new ModelError(
      `The layers model ${path} cannot be a backbone: it needs one input, and one output of features or feature maps.`,
    );
  }
  // What cannot be exported is better known before the training than after it.
  await traceModel(model);
  return (x) => {
    refuseOtherShape(model.inputs[0].shape, x.shape, path);
    const copies: Copies = { path, layers: new Map() };
    const y = copied(model, x, "", copies);
    copies.layers.forEach((copy, layer) => copy.setWeights(layer.getWeights()));
    return rank === 2 ? y : tf.layers.globalAveragePooling2d({ name: "pool" }).apply(y) as Symbolic;
  };
}

async function load({ topology, specs, data }: LayersFiles, path: string): Promise<tf.LayersModel> {
  try {
    return await tf.loadLayersModel(
      tf.io.fromMemory({ modelTopology: topology, weightSpecs: specs, weightData: data.buffer }),
    );
  } catch (error) {
    throw new ModelError(
      `The layers model ${path} cannot be loaded: ${messageOf(error).split("\n")[0]}; convert it again.`,
    );
  }
}

function refuseUnknownLayers({ topology }: LayersFiles, path: string): void {
  const known = new Set([...exportableLayers(), ...CONTAINERS]);
  const unknown = layersOf(topology.model_config ?? topology).filter(({ className }) => !known.has(className));
  if (unknown.length === 0) return;
  const names = unknown.map(({ name, className }) => `"${name}" (${className})`).join(", ");
  throw new ModelError(
    `The layers model ${path} cannot be a backbone, since it could not be exported: ${names}; ` +
      `it may have layers of these kinds: ${exportableLayers().join(", ")}.`,
  );
}

/** The layers of a topology, those of models within it included. */
function layersOf(topology: unknown): { name: string; className: string }[] {
  const { class_name: className, config, name } = topology as {
    class_name?: string;
    config?: { name?: string; layers?: unknown[] } | unknown[];
    name?: string;
  };
  // Sequential models were once nothing but the list of their layers.
  const layers = Array.isArray(config) ? config : config?.layers;
  if (layers !== undefined) return layers.flatMap(layersOf);
  return [{ name: name ?? (config as { name?: string } | undefined)?.name ?? "", className: className ?? "" }];
}

function refuseOtherShape(expected: Symbolic["shape"], actual: Symbolic["shape"], path: string): void {
  if (expected.every((size, i) => size === null || actual[i] === null || size === actual[i])) return;
  const text = (shape: Symbolic["shape"]) => shape.slice(1).map((size) => size ?? "any").join("x");
  throw new UsageError(
    `The layers model ${path} takes images of ${text(expected)}, not of ${text(actual)}: ` +
      "set imageSize and channels to what it takes.",
  );
}

/** What has been copied of a model in a file. */
interface Copies {
  path: string;
  /** The copy of each layer. */
  layers: Map<Layer, Layer>;
}

/** Builds a model's layers anew behind another tensor. */
function copied(model: tf.LayersModel, x: Symbolic, prefix: string, copies: Copies): Symbolic {
  const values = new Map([[model.inputs[0].id, x]]);
  const valueOf = (tensor: Symbolic): Symbolic => {
    const known = values.get(tensor.id);
    if (known !== undefined) return known;
    const layer = tensor.sourceLayer;
    const inputs = layer.inboundNodes[tensor.nodeIndex].inputTensors.map(valueOf);
    const value = isModel(layer)
      ? copied(layer, inputs[0], `${prefix}${layer.name}_`, copies)
      : copyOf(layer, prefix, copies).apply(inputs.length === 1 ? inputs[0] : inputs) as Symbolic;
    values.set(tensor.id, value);
    return value;
  };
  return valueOf(model.outputs[0]);
}

function copyOf(layer: Layer, prefix: string, { path, layers }: Copies): Layer {
  if (layers.has(layer)) {
    throw new ModelError(
      `The layers model ${path} cannot be a backbone: it uses the layer "${layer.name}" in more than one place.`,
    );
  }
  const name = prefix + layer.name;
  const config = { ...layer.getConfig(), name: TAKEN.has(name) ? `backbone_${name}` : name };
  const [cls, fromConfig] = tf.serialization.SerializationMap.getMap().classNameMap[layer.getClassName()];
  const copy = fromConfig(cls, config) as Layer;
  layers.set(layer, copy);
  return copy;
}

function isModel(layer: Layer): layer is tf.LayersModel {
  return Array.isArray((layer as Partial<tf.LayersModel>).layers);
}
