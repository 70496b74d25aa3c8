import { fuse } from "../../../worker/embedder/plan/fuse.ts";
import { readGraph } from "../../../worker/embedder/plan/graph.ts";
import {
  type Bend,
  isLinear,
  type Layer,
  type Linear,
  type Network,
  type Pool,
  valuesOf,
} from "../../../worker/embedder/plan/layers.ts";
import { lower } from "../../../worker/embedder/plan/lower.ts";
import type { NetworkFiles } from "./networks.ts";
import { Message } from "./protobuf.ts";

/** Values of a weight by its name, decoded. */
export type Decoded = ReadonlyMap<string, Float32Array>;

/** Of ONNX's `TensorProto` and `AttributeProto`. */
const FLOAT = 1, INTEGERS_FIELD = 8, TYPE = { integer: 2, integers: 7 };
const IR_VERSION = 8, OPSET = 17;

/**
 * The network of a graph model as an ONNX model, with the same weights, `[1, channels, height, width]` to `[1, dim]`. ONNX Runtime fuses
 * for itself what lies apart here.
 *
 * @param weights those of the graph, in float32
 */
export function toOnnx(files: NetworkFiles, weights: Decoded): Uint8Array<ArrayBuffer> {
  const network = fuse(lower(readGraph(files), files.input));
  const writer = new Writer(network, weights);
  network.layers.forEach((layer) => isLinear(layer) ? writer.linear(layer) : writer.pool(layer));
  const [output] = valuesOf(network.output);
  writer.node("Flatten", [nameOf(output)], "flat", { axis: 1 });
  if (network.epsilon === null) writer.node("Identity", ["flat"], "embedding");
  else writer.unitLength(network.epsilon);
  const { height, width, channels } = files.input;
  const graph = new Message().fields(1, writer.nodes).field(2, "network").fields(5, writer.tensors)
    .field(11, valueInfo(nameOf(0), [1, channels, height, width]))
    .field(12, valueInfo("embedding", [1, network.values[output].channels]));
  const opset = new Message().field(1, "").integer(2, OPSET);
  return new Message().integer(1, IR_VERSION).field(7, graph).field(8, opset).bytes();
}

class Writer {
  readonly nodes: Message[] = [];
  readonly tensors: Message[] = [];

  constructor(readonly network: Network, readonly weights: Decoded) {}

  linear(layer: Linear): void {
    const { size, stride, input, output, bias, residual, bend, kind } = layer;
    const inner = this.network.values[input].channels, channels = this.network.values[output].channels;
    const isDepthwise = kind === "depthwise", taps = size.rows * size.columns;
    const filter = typeof layer.filter === "string"
      ? this.weights.get(layer.filter)!
      : layer.filter ?? new Float32Array(channels).fill(1);
    const shape = isDepthwise ? [channels, 1] : [channels, inner];
    const weight = this.tensor(
      `${output}/filter`,
      [...shape, size.rows, size.columns],
      channelsFirst(filter, taps, shape[1], channels),
    );
    const parts = bias === null ? [] : [this.tensor(`${output}/bias`, [channels], bias)];
    const attributes = {
      ...windows(layer, layer.zeros),
      strides: [stride.rows, stride.columns],
      group: isDepthwise ? channels : 1,
    };
    const names = [`${output}/product`, ...(residual === null ? [] : [`${output}/sum`])];
    const isBent = bend.slopes !== null || bend.least !== -Infinity;
    const last = isBent ? names.at(-1)! : nameOf(output);
    this.node("Conv", [nameOf(input), weight, ...parts], residual === null ? last : names[0], attributes);
    if (residual !== null) this.node("Add", [names[0], nameOf(residual)], last);
    if (isBent) this.bend(bend, last, output, channels);
  }

  bend({ slopes, least, most }: Bend, input: string, output: number, channels: number): void {
    if (slopes !== null) {
      this.node("PRelu", [input, this.tensor(`${output}/slopes`, [channels, 1, 1], slopes)], nameOf(output));
    } else if (most === Infinity) this.node("Relu", [input], nameOf(output));
    else {
      const bounds = [least, most].map((bound, i) => this.tensor(`${output}/bound${i}`, [], Float32Array.of(bound)));
      this.node("Clip", [input, ...bounds], nameOf(output));
    }
  }

  pool(layer: Pool): void {
    const { kind, input, output, zeros, outside, stride } = layer;
    const { height, width } = this.network.values[input];
    if (layer.size.rows === height && layer.size.columns === width) {
      return this.node(kind === "mean" ? "GlobalAveragePool" : "GlobalMaxPool", [nameOf(input)], nameOf(output));
    }
    // ONNX pads a maximum with nothing where the graph has zeros; no output of a ReLU is below them.
    const around = { ...outside };
    for (const side of Object.keys(zeros) as (keyof typeof zeros)[]) around[side] += zeros[side];
    const attributes = { ...windows(layer, around), strides: [stride.rows, stride.columns] };
    this.node(kind === "mean" ? "AveragePool" : "MaxPool", [nameOf(input)], nameOf(output), attributes);
  }

  /** ONNX's own normalisation knows no least length, which matters before a network is trained. */
  unitLength(epsilon: number): void {
    this.node("Mul", ["flat", "flat"], "squares");
    this.node("ReduceSum", ["squares"], "squared_length");
    this.node("Max", ["squared_length", this.tensor("epsilon", [], Float32Array.of(epsilon))], "bounded");
    this.node("Sqrt", ["bounded"], "length");
    this.node("Div", ["flat", "length"], "embedding");
  }

  tensor(name: string, shape: number[], values: Float32Array): string {
    const tensor = new Message();
    shape.forEach((size) => tensor.integer(1, size));
    const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.tensors.push(tensor.integer(2, FLOAT).field(8, name).field(9, raw));
    return name;
  }

  node(op: string, inputs: string[], output: string, attributes: Record<string, number | number[]> = {}): void {
    const node = new Message().fields(1, inputs).field(2, output).field(3, `${output}/${op}`).field(4, op);
    for (const [name, value] of Object.entries(attributes)) {
      const attribute = new Message().field(1, name);
      if (typeof value === "number") attribute.integer(3, value).integer(20, TYPE.integer);
      else {
        value.forEach((one) => attribute.integer(INTEGERS_FIELD, one));
        attribute.integer(20, TYPE.integers);
      }
      node.field(5, attribute);
    }
    this.nodes.push(node);
  }
}

function nameOf(value: number): string {
  return `value${value}`;
}

function windows({ size }: Layer, { top, left, bottom, right }: Linear["zeros"]) {
  return { kernel_shape: [size.rows, size.columns], pads: [top, left, bottom, right] };
}

/** `[taps, inner, outputs]` as `[outputs, inner, taps]`. */
function channelsFirst(filter: Float32Array, taps: number, inner: number, outputs: number): Float32Array {
  const turned = new Float32Array(filter.length);
  for (let tap = 0; tap < taps; tap++) {
    for (let i = 0; i < inner; i++) {
      for (let o = 0; o < outputs; o++) turned[(o * inner + i) * taps + tap] = filter[(tap * inner + i) * outputs + o];
    }
  }
  return turned;
}

function valueInfo(name: string, shape: number[]): Message {
  const sizes = shape.map((size) => new Message().integer(1, size));
  const tensor = new Message().integer(1, FLOAT).field(2, new Message().fields(1, sizes));
  return new Message().field(1, name).field(2, new Message().field(1, tensor));
}
