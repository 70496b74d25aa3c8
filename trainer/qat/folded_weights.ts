import * as tf from "@tensorflow/tfjs";
import { ModelError } from "../../shared/errors.ts";
import { type Constant, type Convolution, type MatMul, outChannels } from "../export/ir.ts";
import { legalName } from "../export/trace.ts";

/** Kernel and bias of a convolution or a dense layer, with what normalises its value folded in. */
export interface FoldedWeights {
  readonly kernel: tf.Tensor;
  /** `[channels]`. */
  readonly bias: tf.Tensor;
}

/** A layer's weights by their own names, and the layer. */
interface Owner {
  readonly layer: tf.layers.Layer;
  readonly weights: ReadonlyMap<string, tf.Variable>;
}

/**
 * Finds in a model the variables that a node of its graph was made of.
 *
 * @returns a function that gives, for such a node, one that folds the variables as they are now: differentiable in kernel, bias,
 * gamma and beta, by the moving statistics, which stay (Jacob et al. 2018, section 3.2)
 */
export function weightFolder(model: tf.LayersModel): (node: Convolution | MatMul) => () => FoldedWeights {
  const owners = new Map(model.layers.map((layer) => [legalName(layer.name), ownerOf(layer)]));
  const owner = (name: string): Owner => {
    const known = owners.get(name);
    if (known === undefined) {
      throw new ModelError(
        `The layer ${name} is within another or used twice, and cannot be trained in int8: leave --qat out.`,
      );
    }
    return known;
  };
  return (node) => {
    const [layerName, kernelName] = splitName(node.kernel);
    const { weights } = owner(layerName);
    const kernel = weights.get(kernelName)!, bias = weights.get("bias");
    const norms = (node.normalizations ?? []).map((name) => affineOf(owner(name)));
    const depthwise = node.op === "DepthwiseConv2dNative";
    return () => {
      let folded: FoldedWeights = { kernel, bias: bias ?? tf.zeros([outChannels(node)]) };
      for (const norm of norms) folded = foldInto(folded, norm(), depthwise);
      return folded;
    };
  };
}

/** `x * scale + shift` for each channel. */
interface Affine {
  readonly scale: tf.Tensor;
  readonly shift: tf.Tensor;
}

function affineOf({ layer, weights }: Owner): () => Affine {
  const [gamma, beta, mean, variance] = ["gamma", "beta", "moving_mean", "moving_variance"].map((name) =>
    weights.get(name)
  );
  const epsilon = layer.getConfig().epsilon as number;
  return () => {
    const scale = tf.mul(tf.rsqrt(tf.add(variance!, epsilon)), gamma ?? 1);
    return { scale, shift: tf.sub(beta ?? 0, tf.mul(mean!, scale)) };
  };
}

function foldInto({ kernel, bias }: FoldedWeights, { scale, shift }: Affine, depthwise: boolean): FoldedWeights {
  const factors = depthwise ? tf.reshape(scale, [-1, 1]) : scale;
  return { kernel: tf.mul(kernel, factors), bias: tf.add(tf.mul(bias, scale), shift) };
}

function ownerOf(layer: tf.layers.Layer): Owner {
  const variables = layer.getWeights() as tf.Variable[];
  return {
    layer,
    weights: new Map(layer.weights.map(({ originalName }, i) => [lastPart(originalName), variables[i]])),
  };
}

/** `stem/kernel` as `stem` and `kernel`. */
function splitName({ name }: Constant): [layer: string, weight: string] {
  return [name.replace(/\/[^/]*$/, ""), lastPart(name)];
}

function lastPart(name: string): string {
  return name.split("/").at(-1)!;
}
