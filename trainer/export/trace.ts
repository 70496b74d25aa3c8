import type * as tf from "@tensorflow/tfjs";
import { ModelError } from "../../shared/errors.ts";
import type { Constant, Graph, Node } from "./ir.ts";
import { type LayerCall, readLayer, type Shape } from "./layers.ts";

type Layer = tf.layers.Layer;
type Weights = ReadonlyMap<Layer, readonly Constant[]>;

/** What a value is called within one use of a model: the outermost, or a nested one. */
interface Scope {
  readonly prefix: string;
  /** The name of each symbolic tensor's value, by the tensor's id. */
  readonly values: Map<number, string>;
}

interface Trace {
  readonly weights: Weights;
  readonly nodes: Node[];
  readonly names: Set<string>;
}

const INPUT = "input";

/**
 * Follows a functional model from its output back to its input: nested models are unrolled, a layer that is called several
 * times gives as many nodes with the same weights, and what only training needs (dropout, noise) is left out.
 *
 * @param model one input and one output; `Sequential` goes too
 * @param output what the output is called
 * @returns nodes in the order of computation; the placeholder is called `input`
 * @throws {ModelError} if the model has several inputs or outputs, or a layer that cannot be exported
 */
export async function traceModel(model: tf.LayersModel, output = "embedding"): Promise<Graph> {
  if (model.inputs?.length !== 1 || model.outputs.length !== 1) {
    throw new ModelError(
      `The model "${model.name}" has ${
        model.inputs?.length ?? 0
      } inputs and ${model.outputs.length} outputs; only models with one of each can be exported.`,
    );
  }
  const trace: Trace = { weights: await readWeights(model), nodes: [], names: new Set([INPUT, output]) };
  trace.nodes.push({ op: "Placeholder", name: INPUT, inputs: [], shape: model.inputs[0].shape });
  const scope: Scope = { prefix: "", values: new Map([[model.inputs[0].id, INPUT]]) };
  const last = valueOf(model.outputs[0], scope, trace);
  if (last === INPUT) {
    throw new ModelError(`The model "${model.name}" gives its input back; there is nothing to export.`);
  }
  return {
    nodes: trace.nodes.map((node) => renamed(node, last, output)),
    input: INPUT,
    output,
    outputShape: model.outputs[0].shape,
  };
}

/** The name of the node that computes a symbolic tensor; adds that node, and what it needs, where it isn't there yet. */
function valueOf(tensor: tf.SymbolicTensor, scope: Scope, trace: Trace): string {
  const known = scope.values.get(tensor.id);
  if (known !== undefined) return known;
  const layer = tensor.sourceLayer;
  const { inputTensors } = layer.inboundNodes[tensor.nodeIndex];
  const inputs = inputTensors.map((input) => valueOf(input, scope, trace));
  const value = isModel(layer)
    ? nestedValue(layer, tensor, inputs, scope, trace)
    : layerValue(layer, tensor, inputTensors, inputs, scope, trace);
  scope.values.set(tensor.id, value);
  return value;
}

function layerValue(
  layer: Layer,
  tensor: tf.SymbolicTensor,
  inputTensors: readonly tf.SymbolicTensor[],
  inputs: readonly string[],
  scope: Scope,
  trace: Trace,
): string {
  const call: LayerCall = {
    name: uniqueName(scope.prefix + layer.name, trace.names),
    layerName: scope.prefix + layer.name,
    className: layer.getClassName(),
    config: layer.getConfig(),
    weights: trace.weights.get(layer) ?? [],
    inputs,
    inputShapes: inputTensors.map((input) => input.shape as Shape),
    outputShape: tensor.shape,
  };
  const made = readLayer(call);
  trace.nodes.push(...made);
  return made.at(-1)?.name ?? inputs[0];
}

function nestedValue(
  model: tf.LayersModel,
  tensor: tf.SymbolicTensor,
  inputs: readonly string[],
  scope: Scope,
  trace: Trace,
): string {
  const inner: Scope = {
    prefix: `${scope.prefix}${model.name}/`,
    values: new Map(model.inputs.map((input, i) => [input.id, inputs[i]])),
  };
  return valueOf(model.outputs[tensor.tensorIndex], inner, trace);
}

/** All weights, read once and asynchronously: some backends have no other way. */
async function readWeights(
  model: tf.LayersModel,
  prefix = "",
  weights = new Map<Layer, Constant[]>(),
): Promise<Weights> {
  for (const layer of model.layers) {
    if (isModel(layer)) {
      await readWeights(layer, `${prefix}${layer.name}/`, weights);
    } else if (!weights.has(layer)) {
      // `getWeights` puts trainable weights first, and both lists in the order of their creation: that of the layer's own.
      const names = layer.weights.map((weight) => weight.originalName.split("/").at(-1));
      const tensors = layer.getWeights();
      weights.set(
        layer,
        await Promise.all(tensors.map(async (tensor, i) => ({
          name: `${legalName(prefix + layer.name)}/${names[i]}`,
          shape: tensor.shape,
          values: new Float32Array(await tensor.data<"float32">()),
        }))),
      );
    }
  }
  return weights;
}

function isModel(layer: Layer): layer is tf.LayersModel {
  return Array.isArray((layer as Partial<tf.LayersModel>).layers);
}

function uniqueName(wanted: string, taken: Set<string>): string {
  const base = legalName(wanted);
  let name = base;
  for (let count = 1; taken.has(name); count++) name = `${base}_${count}`;
  taken.add(name);
  return name;
}

/** TensorFlow's rule for node names. */
export function legalName(name: string): string {
  return name.replace(/[^A-Za-z0-9_.\/-]/g, "_").replace(/^[^A-Za-z0-9.]/, "n$&");
}

function renamed(node: Node, from: string, to: string): Node {
  const swap = (name: string) => name === from ? to : name;
  return { ...node, name: swap(node.name), inputs: node.inputs.map(swap) };
}
