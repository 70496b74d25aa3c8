import type * as tf from "@tensorflow/tfjs";
import { fromKerasResNet } from "./keras_resnet.ts";
import { KERAS_NAMES, type NameMap, TORCH_NAMES } from "./names.ts";
import type { StoredTensor } from "./safetensors.ts";

/** How a framework keeps the weights of networks. */
export interface Layout {
  /** Whose it is, for messages. */
  readonly owner: string;
  /** Names of layers, by backbone. */
  readonly names: Readonly<Record<string, readonly NameMap[]>>;
  /**
   * The full name of a layer's tensor.
   *
   * @param layer as the framework calls it
   * @param weight as tf.layers calls it: `kernel`, `bias`, `depthwise_kernel`, `gamma`, `beta`, `moving_mean`, `moving_variance`
   */
  tensorName(layer: string, weight: string): string;
  /** The file's axis that becomes each of ours, by the weight's name and rank. */
  axes(weight: string, rank: number): number[];
  /** Tensors that our network must have for those that the framework's has; names stay. */
  adapted(
    model: tf.LayersModel,
    tensors: ReadonlyMap<string, StoredTensor>,
    nameOf: NameMap,
  ): ReadonlyMap<string, StoredTensor>;
}

const TORCH_TENSORS: Record<string, string> = {
  ...{ kernel: "weight", depthwise_kernel: "weight", gamma: "weight", bias: "bias", beta: "bias" },
  ...{ moving_mean: "running_mean", moving_variance: "running_var" },
};

/**
 * PyTorch's: convolutions `[out, in, height, width]`, depthwise ones `[channels, 1, height, width]`, matrices `[out, in]`.
 * The pixels are RGB, as `imagenet` in `PIXEL_SCALES`.
 */
export const TORCH: Layout = {
  owner: "torchvision's or timm's",
  names: TORCH_NAMES,
  tensorName: (layer, weight) => `${layer}.${TORCH_TENSORS[weight]}`,
  axes: (weight, rank) => {
    if (rank === 4) return weight === "depthwise_kernel" ? [2, 3, 0, 1] : [2, 3, 1, 0];
    return rank === 2 ? [1, 0] : [0];
  },
  adapted: (_model, tensors) => tensors,
};

/** Keras's and that of tfjs layers models: axes as ours. Its ResNets are turned to RGB, see {@link fromKerasResNet}. */
export const KERAS: Layout = {
  owner: "Keras's",
  names: KERAS_NAMES,
  tensorName: (layer, weight) => `${layer}/${weight}`,
  axes: (_weight, rank) => Array.from({ length: rank }, (_, axis) => axis),
  adapted: fromKerasResNet,
};
