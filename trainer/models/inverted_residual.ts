import * as tf from "@tensorflow/tfjs";
import { batchNorm } from "./batch_norm.ts";
import type { Initializers } from "./initializer.ts";
import { prelu } from "./prelu.ts";
import { relu6 } from "./relu.ts";

type Tensor = tf.SymbolicTensor;

/** What all convolutions of one network share. */
export interface MobileStyle {
  /**
   * How convolutions of stride 2 are padded: `same` as TensorFlow does, more zeros at the end than at the start where they
   * are odd in number; `symmetric` as PyTorch does, `floor(kernel / 2)` on every side.
   */
  padding: "same" | "symmetric";
  /** Of BatchNorm. */
  epsilon: number;
  momentum: number;
  activation: "relu6" | "prelu";
}

/** A convolution, BatchNorm and, unless it is linear, the network's activation. */
export interface MobileUnit {
  name: string;
  /** Its size on both axes; or height and width of a feature map that it takes in whole, without padding. */
  kernel: number | [height: number, width: number];
  stride: number;
  /** Without filters the convolution is depthwise. */
  filters?: number;
  linear?: boolean;
}

/** One inverted residual block (Sandler et al. 2018, figure 3b). */
export interface InvertedResidual {
  name: string;
  filters: number;
  kernel: number;
  stride: number;
  /** How many times more channels there are inside than at the input; 1 leaves the widening convolution out. */
  expansion: number;
}

/** Widens with a 1x1 convolution, filters each channel, narrows without activation, and adds the input where shapes allow. */
export function invertedResidual(
  x: Tensor,
  { name, filters, kernel, stride, expansion }: InvertedResidual,
  style: MobileStyle,
  initializers: Initializers,
): Tensor {
  const channels = x.shape[x.shape.length - 1]!;
  const apply = (x: Tensor, unit: MobileUnit) => mobileUnit(x, unit, style, initializers);
  let y = x;
  if (expansion !== 1) y = apply(y, { name: `${name}_expand`, filters: channels * expansion, kernel: 1, stride: 1 });
  y = apply(y, { name: `${name}_depthwise`, kernel, stride });
  y = apply(y, { name: `${name}_project`, filters, kernel: 1, stride: 1, linear: true });
  if (stride !== 1 || channels !== filters) return y;
  return tf.layers.add({ name: `${name}_add` }).apply([x, y]) as Tensor;
}

/** A convolution of a mobile network, without bias, with its BatchNorm and activation. */
export function mobileUnit(x: Tensor, unit: MobileUnit, style: MobileStyle, initializers: Initializers): Tensor {
  const { name, kernel, stride, filters, linear = false } = unit;
  const padded = style.padding === "symmetric" && stride > 1 && typeof kernel === "number" && kernel > 1;
  if (padded) {
    x = tf.layers.zeroPadding2d({ padding: Math.floor(kernel / 2), name: `${name}_pad` }).apply(x) as Tensor;
  }
  const common = {
    kernelSize: kernel,
    strides: stride,
    padding: padded || typeof kernel !== "number" ? "valid" : "same",
    useBias: false,
    name,
  } as const;
  const convolution = filters === undefined
    ? tf.layers.depthwiseConv2d({ ...common, depthwiseInitializer: initializers.he() })
    : tf.layers.conv2d({ ...common, filters, kernelInitializer: initializers.he() });
  const { epsilon, momentum } = style;
  const y = batchNorm({ name: `${name}_bn`, epsilon, momentum }).apply(convolution.apply(x)) as Tensor;
  if (linear) return y;
  const activation = style.activation === "relu6"
    ? relu6({ name: `${name}_relu` })
    : prelu({ name: `${name}_prelu`, sharedAxes: [1, 2], alphaInitializer: tf.initializers.constant({ value: 0.25 }) });
  return activation.apply(y) as Tensor;
}

/** Numbered `block01`, `block02` and so on from the input. */
export function blockName(index: number): string {
  return `block${String(index + 1).padStart(2, "0")}`;
}
