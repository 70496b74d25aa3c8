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
import type { NetworkFiles } from "./network_files.ts";
import { channelsFirst, OnnxWriter } from "./onnx_writer.ts";

/** Values of a weight by its name, decoded. */
export type Decoded = ReadonlyMap<string, Float32Array>;

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
  writer.embedding(nameOf(output), network.epsilon);
  const { height, width, channels } = files.input;
  return writer.model([nameOf(0), [1, channels, height, width]], ["embedding", [1, network.values[output].channels]]);
}

class Writer extends OnnxWriter {
  constructor(readonly network: Network, readonly weights: Decoded) {
    super();
  }

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
}

function nameOf(value: number): string {
  return `value${value}`;
}

function windows({ size }: Layer, { top, left, bottom, right }: Linear["zeros"]) {
  return { kernel_shape: [size.rows, size.columns], pads: [top, left, bottom, right] };
}
