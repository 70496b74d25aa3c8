/**
 * The network between the layers model and the GraphDef: a list of nodes in the order of computation, each about one
 * operation with its weights in place, so that folding and fusing are plain rewrites of a list.
 *
 * Tensors are `[batch, height, width, channels]` or `[batch, features]`, float32.
 *
 * @module
 */

/** A weight. Two nodes that share a weight hold the same object. */
export interface Constant {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Zeros around height and width: `[[top, bottom], [left, right]]`. */
export type Borders = readonly [readonly [number, number], readonly [number, number]];

/** How a window reaches over the border, as TensorFlow names it. */
export type Padding = "SAME" | "VALID" | Borders;

/** An activation function. */
export type Activation =
  | { readonly kind: "Relu" | "Relu6" | "Elu" | "Selu" | "Sigmoid" | "Tanh" | "Swish" }
  | { readonly kind: "LeakyRelu"; readonly alpha: number }
  | { readonly kind: "Prelu"; readonly alpha: Constant };

interface Named {
  /** Unique in the graph; the name of the value it computes. */
  readonly name: string;
  /** Names of the nodes whose values it takes. */
  readonly inputs: readonly string[];
}

/**
 * A convolution, with what is fused behind it: `activation(scale * (x * kernel + bias))`. The kernel is
 * `[height, width, in, out]`, or `[height, width, in, multiplier]` for the depthwise one.
 */
export interface Convolution extends Named {
  readonly op: "Conv2D" | "DepthwiseConv2dNative";
  readonly kernel: Constant;
  readonly bias: Constant | null;
  /** A positive number for each output channel, where the kernel is in whole numbers from -127 to 127. */
  readonly scale?: Constant;
  readonly activation: Activation | null;
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly padding: Padding;
  /** The layers whose normalisation is folded into kernel and bias, in their order. */
  readonly normalizations?: readonly string[];
}

/** `x * kernel + bias`, then the activation; kernel `[in, out]`. */
export interface MatMul extends Named {
  readonly op: "MatMul";
  readonly kernel: Constant;
  readonly bias: Constant | null;
  readonly activation: Activation | null;
  /** The layers whose normalisation is folded into kernel and bias, in their order. */
  readonly normalizations?: readonly string[];
}

/** A batch normalisation at inference: `x * scale + shift` for each channel, in double precision until it is written. */
export interface Affine extends Named {
  readonly op: "Affine";
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

/** An activation that stands for itself. */
export interface Activate extends Named {
  readonly op: "Activate";
  readonly activation: Activation;
}

/** The greatest or the mean value in each window. */
export interface Pool extends Named {
  readonly op: "MaxPool" | "AvgPool";
  readonly size: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly padding: "SAME" | "VALID";
}

/** An operation of an inference graph. */
export type Node =
  | Convolution
  | MatMul
  | Affine
  | Activate
  | Pool
  | Named & { readonly op: "Placeholder"; readonly shape: readonly (number | null)[] }
  | Named & { readonly op: "AddV2" | "Mul" }
  | Named & { readonly op: "ConcatV2"; readonly axis: number }
  /** Mean or maximum over height and width. */
  | Named & { readonly op: "Mean" | "Max"; readonly keepDims: boolean }
  /** Zeros around height and width, and behind the last channel. */
  | Named & { readonly op: "PadV2"; readonly borders: Borders; readonly channels: number }
  /** To `[batch, ...shape]`. */
  | Named & { readonly op: "Reshape"; readonly shape: readonly number[] }
  | Named & { readonly op: "L2Normalize"; readonly epsilon: number };

/** A network with one input and one output. */
export interface Graph {
  /** Every node after those that it takes from. */
  readonly nodes: readonly Node[];
  /** Name of the placeholder. */
  readonly input: string;
  /** Name of the node that computes the embedding. */
  readonly output: string;
  /** `[batch, dimensions]` or whatever the network gives; null where any size goes. */
  readonly outputShape: readonly (number | null)[];
}

/** How many nodes take each node's value; the graph's output counts as one taker more. */
export function consumersOf(graph: Graph): Map<string, number> {
  const counts = new Map<string, number>([[graph.output, 1]]);
  for (const input of graph.nodes.flatMap((node) => node.inputs)) counts.set(input, (counts.get(input) ?? 0) + 1);
  return counts;
}

/** Whether a node is one that takes a bias and an activation. */
export function isLinear(node: Node | undefined): node is Convolution | MatMul {
  return node?.op === "Conv2D" || node?.op === "DepthwiseConv2dNative" || node?.op === "MatMul";
}

/** How many channels come out of a kernel. They are the last, and so the fastest, index of its values. */
export function outChannels(node: Convolution | MatMul): number {
  const shape = node.kernel.shape;
  return node.op === "DepthwiseConv2dNative" ? shape[2] * shape[3] : shape[shape.length - 1];
}
