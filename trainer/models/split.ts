import * as tf from "@tensorflow/tfjs";
import { UsageError } from "../../shared/errors.ts";

/** What a network makes of a batch. */
export interface Outputs {
  /** What the last but one layer gives: the embeddings before they are scaled to unit length, `[batch, dim]`. */
  raw: tf.Tensor2D;
  /** What the network gives, `[batch, dim]`. */
  embeddings: tf.Tensor2D;
}

/** A network cut in two, so that the lower part runs once an image and the upper part trains on what it gave. */
export interface SplitNetwork {
  /** The layers up to the cut, from the image to the cut's activations; shares its weights with the network. */
  below: tf.LayersModel;
  /**
   * The layers after the cut, differentiable in their weights.
   *
   * @param activations what `below` gave
   * @param training whether BatchNorm takes the statistics of the batch instead of the moving ones
   */
  above(activations: tf.Tensor, training: boolean): Outputs;
}

/**
 * Cuts a network after a layer through which everything passes, and freezes that layer and all below it: only the weights
 * above remain in `model.trainableWeights`.
 *
 * @param after name of the last frozen layer, such as `block09_project_bn`
 * @throws {UsageError} if there is no such layer, or other paths lead around it
 */
export function splitNetwork(model: tf.LayersModel, after: string): SplitNetwork {
  const cut = model.layers.findIndex((layer) => layer.name === after);
  if (cut < 0) throw new UsageError(`The network ${model.name} has no layer ${after} to freeze up to.`);
  const lower = model.layers.slice(0, cut + 1), upper = model.layers.slice(cut + 1);
  const open = lower[cut].output as tf.SymbolicTensor;
  const known = new Set([open.name, ...upper.map(outputOf)]);
  for (const layer of upper) {
    if (inputsOf(layer).some((name) => !known.has(name))) {
      throw new UsageError(
        `The network ${model.name} cannot be cut after ${after}: ${layer.name} reads from below it.`,
      );
    }
  }
  freezeUpTo(model, after);
  return {
    below: tf.model({ inputs: model.inputs, outputs: open }),
    above: (activations, training) => run(upper, open.name, activations, training),
  };
}

/**
 * A whole network as a function of its input, all of it trainable.
 *
 * @returns the same as {@link SplitNetwork.above} of a network that is cut before its first layer
 */
export function wholeNetwork(model: tf.LayersModel): SplitNetwork["above"] {
  const layers = model.layers.slice(1);
  freezeUpTo(model, undefined);
  return (images, training) => run(layers, model.inputs[0].name, images, training);
}

/** Freezes a layer and all below it, or nothing. */
export function freezeUpTo(model: tf.LayersModel, last: string | undefined): void {
  const cut = model.layers.findIndex(({ name }) => name === last);
  model.layers.forEach((layer, i) => layer.trainable = i > cut);
}

/**
 * The layer that a person means to freeze up to.
 *
 * @param name `backbone` for all below the embedding's own layers; a layer; or a block or stage, such as `block09` or `stage3`
 * @throws {UsageError} if the network has none of that name
 */
export function lastFrozenLayer(model: tf.LayersModel, name: string): string {
  const names = model.layers.map((layer) => layer.name);
  const last = name === "backbone"
    ? names.at(-3)
    : names.includes(name)
    ? name
    : names.findLast((layer) => layer.startsWith(`${name}_`));
  if (last !== undefined) return last;
  const blocks = [...new Set(names.filter((layer) => layer.includes("_")).map((layer) => layer.split("_")[0]))];
  throw new UsageError(
    `The network ${model.name} has no ${name} to freeze up to; it has ${
      blocks.join(", ")
    } and backbone for all of them.`,
  );
}

/** Holds no layer's output longer than until the last that reads it is through: tfjs keeps what gradients need itself. */
function run(layers: tf.layers.Layer[], input: string, x: tf.Tensor, training: boolean): Outputs {
  const lastReader = new Map(layers.flatMap((layer) => inputsOf(layer).map((name) => [name, layer])));
  [input, outputOf(layers.at(-2)!)].forEach((handedOut) => lastReader.delete(handedOut));
  return tf.tidy(() => {
    const values = new Map([[input, x]]);
    const [raw, embeddings] = layers.map((layer) => {
      const names = inputsOf(layer), inputs = names.map((name) => values.get(name)!);
      const y = layer.apply(inputs.length === 1 ? inputs[0] : inputs, { training }) as tf.Tensor2D;
      values.set(outputOf(layer), y);
      tf.dispose(inputs.filter((_, i) => lastReader.get(names[i]) === layer));
      return y;
    }).slice(-2);
    return { raw, embeddings };
  });
}

function inputsOf(layer: tf.layers.Layer): string[] {
  return [layer.input].flat().map(({ name }) => name);
}

function outputOf(layer: tf.layers.Layer): string {
  return (layer.output as tf.SymbolicTensor).name;
}
