import type { NodeDef } from "../../shared/graph_json.ts";
import {
  type Activation,
  type Constant,
  type Convolution,
  type Graph,
  type MatMul,
  type Node,
  outChannels,
  type Padding,
  type Pool,
} from "./ir.ts";
import { siblingName } from "./fold.ts";

/** A weight as the graph holds it: whole numbers are axes and sizes. */
export interface GraphConstant {
  readonly name: string;
  readonly shape: readonly number[];
  /** Whole numbers of 8 bits are float32 to the graph. */
  readonly values: Float32Array | Int32Array | Int8Array;
}

type TensorInfo = {
  name: string;
  dtype: string;
  tensorShape: { dim: { size: string }[] };
};

/** A `model.json`'s graph, and the weights that it names. */
export interface GraphDef {
  topology: { node: NodeDef[]; library: Record<string, never>; versions: { producer: number } };
  signature: { inputs: Record<string, TensorInfo>; outputs: Record<string, TensorInfo> };
  constants: GraphConstant[];
}

const FLOAT = { type: "DT_FLOAT" };
const INT32 = { type: "DT_INT32" };
const NHWC = bytes("NHWC");
/** The version of TensorFlow's graph format that these operations are of (TensorFlow 2.13). */
const PRODUCER = 1482;

/**
 * Writes the network with TensorFlow's operations, as the tfjs converter reads them.
 *
 * @returns topology and signature for `model.json`, each weight once however many nodes take it
 */
export function toGraphDef(graph: Graph): GraphDef {
  const writer = new Writer(graph.nodes.map((node) => node.name));
  for (const node of graph.nodes) writeNode(node, writer);
  const placeholder = graph.nodes.find((node) => node.op === "Placeholder");
  return {
    topology: { node: writer.nodes, library: {}, versions: { producer: PRODUCER } },
    signature: {
      inputs: { [graph.input]: tensorInfo(graph.input, placeholder?.shape ?? []) },
      outputs: { [graph.output]: tensorInfo(graph.output, graph.outputShape) },
    },
    constants: writer.constants,
  };
}

/** Collects nodes and weights, and sees to it that names are unique. */
class Writer {
  readonly nodes: NodeDef[] = [];
  readonly constants: GraphConstant[] = [];
  readonly #names = new Map<Constant, string>();
  readonly #taken: Set<string>;

  /** @param taken names that no weight may have */
  constructor(taken: string[]) {
    this.#taken = new Set(taken);
  }

  node(name: string, op: string, input: string[], attr: Record<string, unknown> = {}): string {
    this.nodes.push({ name, op, input, attr: { T: FLOAT, ...attr } });
    return name;
  }

  /** Adds a weight of the network, once. */
  weight(constant: Constant, stored: (values: Float32Array) => GraphConstant["values"] = (values) => values): string {
    const known = this.#names.get(constant);
    if (known !== undefined) return known;
    const name = this.constant(constant.name, constant.shape, stored(constant.values));
    this.#names.set(constant, name);
    return name;
  }

  constant(wanted: string, shape: readonly number[], values: GraphConstant["values"]): string {
    let name = wanted;
    for (let count = 1; this.#taken.has(name); count++) name = `${wanted}_${count}`;
    this.#taken.add(name);
    const dtype = values instanceof Int32Array ? INT32 : FLOAT;
    const value = { tensor: { dtype: dtype.type, tensorShape: dimensions(shape) } };
    this.nodes.push({ name, op: "Const", attr: { dtype, value } });
    this.constants.push({ name, shape, values });
    return name;
  }

  integers(name: string, values: number[]): string {
    return this.constant(name, [values.length], Int32Array.from(values));
  }
}

function writeNode(node: Node, to: Writer): void {
  const { name } = node;
  const inputs = [...node.inputs];
  switch (node.op) {
    case "Placeholder":
      to.nodes.push({ name, op: "Placeholder", attr: { dtype: FLOAT, shape: { shape: dimensions(node.shape) } } });
      return;
    case "Conv2D":
    case "DepthwiseConv2dNative":
      return writeConvolution(node, to);
    case "MatMul":
      return writeMatMul(node, to);
    case "Affine": {
      const channels = [node.scale.length];
      const scale = to.constant(`${name}/scale`, channels, Float32Array.from(node.scale));
      const shift = to.constant(`${name}/shift`, channels, Float32Array.from(node.shift));
      to.node(name, "AddV2", [to.node(`${name}/scaled`, "Mul", [inputs[0], scale]), shift]);
      return;
    }
    case "Activate":
      return writeActivation(name, inputs[0], node.activation, to);
    case "MaxPool":
    case "AvgPool":
      to.node(name, node.op, inputs, window(node));
      return;
    case "AddV2":
    case "Mul":
      to.node(name, node.op, inputs);
      return;
    case "ConcatV2": {
      const axis = to.constant(`${name}/axis`, [], Int32Array.of(node.axis));
      to.node(name, "ConcatV2", [...inputs, axis], { N: { i: String(inputs.length) }, Tidx: INT32 });
      return;
    }
    case "Mean":
    case "Max":
      reduce(to, name, node.op, inputs[0], [1, 2], node.keepDims);
      return;
    case "PadV2": {
      const borders = [0, 0, ...node.borders.flat(), 0, node.channels];
      const paddings = to.constant(`${name}/paddings`, [4, 2], Int32Array.from(borders));
      const zero = to.constant(`${name}/zero`, [], Float32Array.of(0));
      to.node(name, "PadV2", [inputs[0], paddings, zero], { Tpaddings: INT32 });
      return;
    }
    case "Reshape":
      to.node(name, "Reshape", [inputs[0], to.integers(`${name}/shape`, [-1, ...node.shape])], { Tshape: INT32 });
      return;
    case "L2Normalize":
      return writeL2Normalize(name, inputs[0], node.epsilon, to);
  }
}

function writeConvolution(node: Convolution, to: Writer): void {
  const { scale } = node;
  if (scale !== undefined) return writeScaledConvolution(node, scale, to);
  writeFusedConvolution(node, to.weight(node.kernel), to);
}

/**
 * A kernel of whole numbers, with the scale behind it: multiplying the kernel instead would be done over at every inference.
 * An activation that is the same before and after a positive factor is fused before it, and every other comes last.
 */
function writeScaledConvolution(node: Convolution, scale: Constant, to: Writer): void {
  const { name, activation } = node;
  const commutes = activation === null || activation.kind === "Relu" || activation.kind === "Prelu";
  const kernel = to.weight(node.kernel, (values) => Int8Array.from(values));
  const inner = { ...node, name: `${name}/unscaled`, activation: commutes ? activation : null };
  writeFusedConvolution(inner, kernel, to);
  const scaled = commutes ? name : `${name}/scaled`;
  to.node(scaled, "Mul", [inner.name, to.weight(scale)]);
  if (!commutes) writeActivation(name, scaled, activation, to);
}

function writeFusedConvolution(node: Convolution, kernel: string, to: Writer): void {
  const { name, activation } = node;
  const depthwise = node.op === "DepthwiseConv2dNative";
  const bias = node.bias ?? (activation === null ? null : zeroBias(node));
  const fused = depthwise ? "FusedDepthwiseConv2dNative" : "_FusedConv2D";
  to.node(name, bias === null ? node.op : fused, [
    node.inputs[0],
    kernel,
    ...extras(bias, activation, to),
  ], {
    strides: integers([1, ...node.strides, 1]),
    dilations: integers([1, ...node.dilations, 1]),
    data_format: NHWC,
    ...paddingAttributes(node.padding),
    ...(bias === null ? {} : fusedAttributes(activation)),
  });
}

function writeMatMul(node: MatMul, to: Writer): void {
  const { name, activation } = node;
  const bias = node.bias ?? (activation === null ? null : zeroBias(node));
  to.node(name, bias === null ? "MatMul" : "_FusedMatMul", [
    node.inputs[0],
    to.weight(node.kernel),
    ...extras(bias, activation, to),
  ], {
    transpose_a: { b: false },
    transpose_b: { b: false },
    ...(bias === null ? {} : fusedAttributes(activation)),
  });
}

function extras(bias: Constant | null, activation: Activation | null, to: Writer): string[] {
  const slopes = activation?.kind === "Prelu" ? [to.weight(activation.alpha)] : [];
  return bias === null ? slopes : [to.weight(bias), ...slopes];
}

/** The converter takes an activation only behind a bias. */
function zeroBias(node: Convolution | MatMul): Constant {
  const channels = outChannels(node);
  return { name: siblingName(node.kernel, "bias"), shape: [channels], values: new Float32Array(channels) };
}

function fusedAttributes(activation: Activation | null): Record<string, unknown> {
  return {
    num_args: { i: activation?.kind === "Prelu" ? "2" : "1" },
    epsilon: { f: 0 },
    fused_ops: { list: { s: ["BiasAdd", ...(activation === null ? [] : [activation.kind])].map(base64) } },
    ...(activation?.kind === "LeakyRelu" ? { leakyrelu_alpha: { f: activation.alpha } } : {}),
  };
}

function writeActivation(name: string, input: string, activation: Activation, to: Writer): void {
  switch (activation.kind) {
    case "Prelu":
      to.node(name, "Prelu", [input, to.weight(activation.alpha)]);
      return;
    case "LeakyRelu":
      to.node(name, "LeakyRelu", [input], { alpha: { f: activation.alpha } });
      return;
    case "Swish":
      to.node(name, "Mul", [input, to.node(`${name}/gate`, "Sigmoid", [input])]);
      return;
    default:
      to.node(name, activation.kind, [input]);
  }
}

function writeL2Normalize(name: string, input: string, epsilon: number, to: Writer): void {
  const least = to.constant(`${name}/epsilon`, [], Float32Array.of(epsilon));
  const squares = to.node(`${name}/squares`, "Square", [input]);
  const squaredLength = reduce(to, `${name}/squared_length`, "Sum", squares, [1], true);
  const bounded = to.node(`${name}/bounded`, "Maximum", [squaredLength, least]);
  to.node(name, "Mul", [input, to.node(`${name}/factor`, "Rsqrt", [bounded])]);
}

function reduce(to: Writer, name: string, op: string, input: string, axes: number[], keepDims: boolean): string {
  return to.node(name, op, [input, to.integers(`${name}/axes`, axes)], { Tidx: INT32, keep_dims: { b: keepDims } });
}

function window(node: Pool): Record<string, unknown> {
  return {
    ksize: integers([1, ...node.size, 1]),
    strides: integers([1, ...node.strides, 1]),
    data_format: NHWC,
    ...paddingAttributes(node.padding),
  };
}

function paddingAttributes(padding: Padding): Record<string, unknown> {
  if (typeof padding === "string") return { padding: bytes(padding) };
  return { padding: bytes("EXPLICIT"), explicit_paddings: integers([0, 0, ...padding.flat(), 0, 0]) };
}

function tensorInfo(name: string, shape: readonly (number | null)[]): TensorInfo {
  return { name: `${name}:0`, dtype: FLOAT.type, tensorShape: dimensions(shape) };
}

function dimensions(shape: readonly (number | null)[]): { dim: { size: string }[] } {
  return { dim: shape.map((size) => ({ size: String(size ?? -1) })) };
}

function integers(values: readonly number[]): { list: { i: string[] } } {
  return { list: { i: values.map(String) } };
}

function bytes(text: string): { s: string } {
  return { s: base64(text) };
}

function base64(text: string): string {
  return btoa(text);
}
