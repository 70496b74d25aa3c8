import type { InputSpec } from "../../../shared/card.ts";
import { plus, windowsOf } from "./geometry.ts";
import { type Graph, type Node, nodeName, plainValues, refuse, UncoveredGraphError } from "./graph.ts";
import {
  type Bend,
  type Extent,
  type Linear,
  type Network,
  NO_SIDES,
  type Output,
  type Sides,
  STRAIGHT,
  type Value,
} from "./layers.ts";

/** What a node of the graph stands for: a value, and zeros around it that the next layer takes in. */
interface Reference {
  value: number;
  zeros: Sides;
}

/**
 * Writes a graph as layers, one for each operation; constants, padding and changes of shape become part of the others.
 *
 * @throws {UncoveredGraphError} if there is an operation, or a use of one, that no layer stands for
 */
export function lower(graph: Graph, input: Pick<InputSpec, "height" | "width" | "channels">): Network {
  const { height, width, channels } = input;
  const lowering = new Lowering(graph, { height, width, channels });
  const epsilon = lengthNormalisation(graph);
  const { output } = lowering.output(epsilon?.of ?? graph.output);
  const { values, layers } = lowering;
  return { values, layers, output, epsilon: epsilon?.least ?? null };
}

/** The `x / sqrt(max(sum(x^2), least))` at the end of the graph, if it is there. */
function lengthNormalisation(graph: Graph): { of: string; least: number } | null {
  const follow = (name: string | undefined, ...ops: string[]): Node | undefined => {
    const node = name === undefined ? undefined : graph.nodes.get(nodeName(name));
    const [op, ...others] = ops;
    if (node?.op === "Identity") return follow(node.input[0], ...ops);
    if (node?.op !== op) return undefined;
    return others.length === 0 ? node : follow(node.input[0], ...others);
  };
  const product = follow(graph.output, "Mul");
  const [x, factor] = product?.input ?? [];
  const bound = follow(factor, "Rsqrt", "Maximum"), square = follow(factor, "Rsqrt", "Maximum", "Sum", "Square");
  const least = graph.weights.get(nodeName(bound?.input[1] ?? ""));
  if (square === undefined || least === undefined || square.input[0] !== x) return null;
  return { of: nodeName(x), least: plainValues(least)[0] };
}

/** Lowers nodes, each after those that it takes from. */
class Lowering {
  readonly values: Value[];
  readonly layers: Network["layers"] = [];
  readonly #references = new Map<string, Reference>();

  constructor(readonly graph: Graph, image: Value) {
    this.values = [image];
  }

  /** The value that a node computes; zeros around it become a part of it. */
  value(name: string): number {
    const { value, zeros } = this.reference(name);
    if (Object.values(zeros).every((count) => count === 0)) return value;
    const { height, width, channels } = this.values[value];
    const padded = { height: height + zeros.top + zeros.bottom, width: width + zeros.left + zeros.right, channels };
    return this.passThrough(value, { zeros }, padded);
  }

  /** What the graph gives, and its shape without the batch. Nothing is computed for changes of shape and concatenations. */
  output(name: string): { output: Output; shape: number[] } {
    const node = this.graph.nodes.get(nodeName(name));
    if (node?.op === "Identity") return this.output(node.input[0]);
    if (node?.op === "Reshape") return { ...this.output(node.input[0]), shape: [...this.constant(node, 1)].slice(1) };
    if (node?.op !== "ConcatV2") {
      const value = this.value(name), { height, width, channels } = this.values[value];
      return { output: { value }, shape: [height, width, channels] };
    }
    const parts = node.input.slice(0, -1).map((input) => this.output(input));
    const [{ shape }] = parts, [axis] = this.constant(node, node.input.length - 1);
    const along = axis < 0 ? shape.length + axis : axis - 1;
    if (along < 0 || shape.includes(-1)) refuse(node, "a batch in");
    const lengths = parts.map((part) => part.shape[along]);
    const outer = shape.slice(0, along).reduce((product, length) => product * length, 1);
    return {
      output: { outer, parts: parts.map(({ output }) => output) },
      shape: shape.with(along, lengths.reduce((sum, length) => sum + length, 0)),
    };
  }

  reference(input: string): Reference {
    const name = nodeName(input);
    let known = this.#references.get(name);
    if (known === undefined) {
      const node = this.graph.nodes.get(name);
      if (node === undefined) throw new UncoveredGraphError("a node that is not there", name);
      const read = Object.hasOwn(OPERATIONS, node.op) ? OPERATIONS[node.op] : undefined;
      if (read === undefined) throw new UncoveredGraphError(`the operation ${node.op}`, name);
      const made = read(node, this);
      known = typeof made === "number" ? { value: made, zeros: NO_SIDES } : made;
      this.#references.set(name, known);
    }
    return known;
  }

  constant(node: Node, index: number): Float32Array | Int32Array {
    const stored = this.stored(node, index);
    if (stored === undefined) throw new UncoveredGraphError(`${node.op} by something else than a constant`, node.name);
    return plainValues(stored);
  }

  stored(node: Node, index: number) {
    return this.graph.weights.get(nodeName(node.input[index] ?? ""));
  }

  /** @returns the new layer's output */
  add(layer: Omit<Network["layers"][number], "output">, output: Value): number {
    const index = this.values.push(output) - 1;
    this.layers.push({ ...layer, output: index } as Network["layers"][number]);
    return index;
  }

  /** A layer that leaves a value as it is but for some of a convolution's parts. */
  passThrough(input: number, parts: Partial<Linear>, output: Value = this.values[input]): number {
    return this.add({
      ...{ kind: "depthwise", input, size: UNIT, stride: UNIT, zeros: NO_SIDES },
      ...{ filter: null, bias: null, residual: null, bend: STRAIGHT, ...parts },
    } as Linear, { ...output });
  }
}

type Operation = (node: Node, to: Lowering) => number | Reference;

const UNIT: Extent = { rows: 1, columns: 1 };

const OPERATIONS: Record<string, Operation> = {
  Placeholder: () => 0,
  Identity: (node, to) => to.reference(node.input[0]),
  Conv2D: convolution,
  _FusedConv2D: convolution,
  DepthwiseConv2dNative: convolution,
  FusedDepthwiseConv2dNative: convolution,
  MatMul: matrix,
  _FusedMatMul: matrix,
  BiasAdd: (node, to) => to.passThrough(to.value(node.input[0]), { bias: channelConstant(node, 1, to) }),
  AddV2: sum,
  Add: sum,
  Mul: (node, to) => to.passThrough(to.value(node.input[0]), { filter: channelConstant(node, 1, to) }),
  Relu: activation,
  Relu6: activation,
  Prelu: activation,
  LeakyRelu: activation,
  MaxPool: (node, to) => pool(node, "greatest", to),
  AvgPool: (node, to) => pool(node, "mean", to),
  Max: (node, to) => whole(node, "greatest", to),
  Mean: (node, to) => whole(node, "mean", to),
  Pad: padding,
  PadV2: padding,
  Reshape: reshape,
};

function convolution(node: Node, to: Lowering): number {
  const { value, zeros } = to.reference(node.input[0]);
  const isDepthwise = /Depthwise/.test(node.op);
  const shape = to.stored(node, 1)?.spec.shape;
  if (shape === undefined) throw new UncoveredGraphError(`${node.op} by something else than a constant`, node.name);
  const [rows, columns, , outputs] = shape;
  if ((node.attr.dilations?.list?.i ?? []).some((rate) => rate !== 1)) refuse(node, "a dilated");
  if (isDepthwise && outputs !== 1) refuse(node, "a multiplied");
  const channels = isDepthwise ? to.values[value].channels : outputs;
  const windows = windowsOf(node, to.values[value], { rows, columns }, zeros);
  return to.add({
    ...{ kind: isDepthwise ? "depthwise" : "convolution", input: value, filter: nodeName(node.input[1]) },
    ...{ size: windows.size, stride: windows.stride, zeros: plus(zeros, windows.around), residual: null },
    ...fusedParts(node, channels, to),
  } as Linear, { ...windows.output, channels });
}

/** A product with a matrix is a convolution whose window is the whole image. */
function matrix(node: Node, to: Lowering): number {
  const input = to.value(node.input[0]), { height, width, channels } = to.values[input];
  const shape = to.stored(node, 1)?.spec.shape;
  if (shape === undefined || shape[0] !== height * width * channels || node.attr.transpose_b?.b) {
    refuse(node, "a transposed");
  }
  return to.add({
    ...{ kind: "convolution", input, filter: nodeName(node.input[1]), size: { rows: height, columns: width } },
    ...{ stride: UNIT, zeros: NO_SIDES, residual: null, ...fusedParts(node, shape[1], to) },
  } as Linear, { height: 1, width: 1, channels: shape[1] });
}

/** Bias and bend of an operation that has others fused behind it. */
function fusedParts(node: Node, channels: number, to: Lowering): Pick<Linear, "bias" | "bend"> {
  const [first, second, ...others] = node.attr.fused_ops?.list?.s ?? [];
  if (first === undefined) return { bias: null, bend: STRAIGHT };
  if (first !== "BiasAdd" || others.length > 0) refuse(node, `a ${first}`);
  const bias = channelConstant(node, 2, to);
  if (second === undefined) return { bias, bend: STRAIGHT };
  return { bias, bend: bendOf(second, node, channels, () => channelConstant(node, 3, to)) };
}

function activation(node: Node, to: Lowering): number {
  const input = to.value(node.input[0]);
  const bend = bendOf(node.op, node, to.values[input].channels, () => channelConstant(node, 1, to));
  return to.passThrough(input, { bend });
}

function bendOf(kind: string, node: Node, channels: number, slopes: () => Float32Array): Bend {
  switch (kind) {
    case "Relu":
      return { slopes: null, least: 0, most: Infinity };
    case "Relu6":
      return { slopes: null, least: 0, most: 6 };
    case "Prelu":
      return { ...STRAIGHT, slopes: slopes() };
    case "LeakyRelu": {
      const slope = (node.attr.leakyrelu_alpha ?? node.attr.alpha)?.f ?? 0.2;
      return { ...STRAIGHT, slopes: new Float32Array(channels).fill(slope) };
    }
    default:
      throw new UncoveredGraphError(`the operation ${kind}`, node.name);
  }
}

/** Another value added, or a constant for each channel. */
function sum(node: Node, to: Lowering): number {
  const input = to.value(node.input[0]);
  if (to.stored(node, 1) !== undefined) return to.passThrough(input, { bias: channelConstant(node, 1, to) });
  const residual = to.value(node.input[1]), a = to.values[input], b = to.values[residual];
  if (a.height !== b.height || a.width !== b.width || a.channels !== b.channels) refuse(node, "a broadcast");
  return to.passThrough(input, { residual });
}

/** A constant with a value for each channel, at the end of the shape. */
function channelConstant(node: Node, index: number, to: Lowering): Float32Array {
  const values = to.constant(node, index), { shape } = to.stored(node, index)!.spec;
  if (values.length !== shape.at(-1) || values instanceof Int32Array) refuse(node, "a broadcast");
  return values;
}

function pool(node: Node, kind: "greatest" | "mean", to: Lowering): number {
  const { value, zeros } = to.reference(node.input[0]);
  const [, rows, columns] = node.attr.ksize?.list?.i ?? [];
  const { output, around, ...windows } = windowsOf(node, to.values[value], { rows, columns }, zeros);
  const layer = { kind, input: value, ...windows, zeros, outside: around };
  return to.add(layer, { ...output, channels: to.values[value].channels });
}

/** A pool whose window is the whole image. */
function whole(node: Node, kind: "greatest" | "mean", to: Lowering): number {
  const input = to.value(node.input[0]), { height, width, channels } = to.values[input];
  const axes = [...to.constant(node, 1)].sort();
  if (axes.length !== 2 || axes[0] !== 1 || axes[1] !== 2) refuse(node, "another axis of");
  const layer = {
    kind,
    input,
    size: { rows: height, columns: width },
    stride: UNIT,
    zeros: NO_SIDES,
    outside: NO_SIDES,
  };
  return to.add(layer, { height: 1, width: 1, channels });
}

function padding(node: Node, to: Lowering): Reference {
  const { value, zeros } = to.reference(node.input[0]);
  const [n0, n1, top, bottom, left, right, c0, c1] = to.constant(node, 1);
  if ((node.op === "PadV2" && to.constant(node, 2)[0] !== 0) || n0 + n1 + c0 !== 0) refuse(node, "another");
  const sides = plus(zeros, { top, left, bottom, right });
  return c1 === 0 ? { value, zeros: sides } : { value: withZeroChannels(value, c1, node, to), zeros: sides };
}

/** Channels of zeros behind those that there are: a product with the first rows of a unit matrix. */
function withZeroChannels(input: number, count: number, { name }: Node, to: Lowering): number {
  const { channels, ...size } = to.values[input], outputs = channels + count;
  const matrix = Float32Array.from({ length: channels * outputs }, (_, i) => i % (outputs + 1) === 0 ? 1 : 0);
  const filter = `${name}/unit`;
  const spec = { name: filter, shape: [1, 1, channels, outputs], dtype: "float32" as const };
  to.graph.weights.set(filter, { spec, bytes: new Uint8Array(matrix.buffer) });
  return to.passThrough(input, { kind: "convolution", filter }, { ...size, channels: outputs });
}

/** Only to a row: what comes after it takes the image in whole. */
function reshape(node: Node, to: Lowering): number {
  const input = to.value(node.input[0]), { height, width, channels } = to.values[input];
  const shape = [...to.constant(node, 1)];
  const isOne = height * width === 1 && shape.at(-1) === channels && shape.slice(1, -1).every((size) => size === 1);
  if (!isOne && !(shape.length === 2 && shape[1] === height * width * channels)) refuse(node, "another");
  return input;
}
