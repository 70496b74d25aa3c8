import * as tf from "@tensorflow/tfjs";
import { UsageError } from "../../shared/errors.ts";

/** A network cut in two, so that the lower part runs once an image and the upper part trains on what it gave. */
export interface SplitNetwork {
  /** The layers up to the cut, from the image to the cut's activations; shares its weights with the network. */
  below: tf.LayersModel;
  /**
   * The layers after the cut, differentiable in their weights.
   *
   * @param activations what `below` gave
   * @param training whether BatchNorm takes the statistics of the batch instead of the moving ones
   * @returns what the whole network gives
   */
  above(activations: tf.Tensor, training: boolean): tf.Tensor;
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
  const known = new Set([open.name, ...upper.map((layer) => (layer.output as tf.SymbolicTensor).name)]);
  for (const layer of upper) {
    if (inputsOf(layer).some((name) => !known.has(name))) {
      throw new UsageError(
        `The network ${model.name} cannot be cut after ${after}: ${layer.name} reads from below it.`,
      );
    }
  }
  lower.forEach((layer) => layer.trainable = false);
  return {
    below: tf.model({ inputs: model.inputs, outputs: open }),
    above: (activations, training) =>
      tf.tidy(() => {
        const values = new Map([[open.name, activations]]);
        let y = activations;
        for (const layer of upper) {
          const inputs = inputsOf(layer).map((name) => values.get(name)!);
          y = layer.apply(inputs.length === 1 ? inputs[0] : inputs, { training }) as tf.Tensor;
          values.set((layer.output as tf.SymbolicTensor).name, y);
        }
        return y;
      }),
  };
}

/** The last layer of the block of this number (from 1), where a network of numbered blocks can be cut. */
export function lastLayerOf(model: tf.LayersModel, block: number): string {
  const prefix = `block${String(block).padStart(2, "0")}_`;
  const layer = model.layers.findLast(({ name }) => name.startsWith(prefix));
  if (!layer) throw new UsageError(`The network ${model.name} has no block ${block} to freeze up to.`);
  return layer.name;
}

function inputsOf(layer: tf.layers.Layer): string[] {
  return [layer.input].flat().map(({ name }) => name);
}
