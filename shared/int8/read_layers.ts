import { ModelError } from "../errors.ts";
import type { NodeDef } from "../graph_json.ts";
import type { GraphFiles } from "../model_files.ts";
import type { Activation, Addition, Convolution, Layer, Layers, Shape } from "./layers.ts";
import { sizeOf } from "./layers.ts";
import { readWeights, type Weight } from "./weights.ts";

/**
 * Reads a graph as the layers that int8 inference computes: what follows a convolution or an addition and is taken by nothing
 * else (scale, activation, the addition at the end of a residual block) is made part of it.
 *
 * @throws {ModelError} if it has an operation that is not among them
 */
export function readLayers(files: GraphFiles): Layers {
  return new Reader(files).read();
}

/** Operations that are read as a part of the L2 normalisation which takes them. */
const NORMALIZATION = new Set(["Square", "Sum", "Maximum", "Rsqrt"]);

class Reader {
  readonly #nodes: NodeDef[];
  readonly #byName: Map<string, NodeDef>;
  readonly #weights: Map<string, Weight>;
  readonly #takers = new Map<string, number>();
  readonly #layers = new Map<string, Layer>();
  readonly #shapes = new Map<string, Shape>();

  constructor(files: GraphFiles) {
    this.#nodes = files.modelJson.modelTopology.node;
    this.#byName = new Map(this.#nodes.map((node) => [node.name, node]));
    this.#weights = readWeights(files);
    for (const name of this.#nodes.flatMap((node) => node.input ?? [])) {
      this.#takers.set(name, (this.#takers.get(name) ?? 0) + 1);
    }
  }

  read(): Layers {
    let input: string | undefined;
    for (const node of this.#nodes) {
      if (node.op === "Placeholder") this.#shapes.set(input = node.name, placeholderShape(node));
      else if (node.op !== "Const" && !NORMALIZATION.has(node.op)) this.#add(this.#layerOf(node));
    }
    if (input === undefined) throw new ModelError("The graph has no input; write it again with `deno task export`.");
    return { layers: [...this.#layers.values()], input, inputShape: this.#shapes.get(input)! };
  }

  #add(layer: Layer): void {
    this.#layers.set(layer.name, layer);
    this.#shapes.set(layer.name, layer.shape);
  }

  #layerOf(node: NodeDef): Layer {
    const { name } = node;
    const [input, second] = node.input ?? [];
    const shape = this.#shapes.get(input);
    if (shape === undefined) return this.#refuse(node, "takes a value that int8 inference does not compute");
    switch (node.op) {
      case "Conv2D":
      case "_FusedConv2D":
      case "DepthwiseConv2dNative":
      case "FusedDepthwiseConv2dNative":
        return this.#convolution(node);
      case "Mul":
        return this.#weights.has(second) ? this.#scaled(node) : this.#normalization(node);
      case "Relu":
      case "Relu6":
      case "Prelu":
        return this.#activated(node);
      case "AddV2":
        return this.#sum(node);
      case "MaxPool": {
        if (text(node.attr.padding.s) !== "VALID") return this.#refuse(node, "pads");
        const size = pair(node, "ksize"), strides = pair(node, "strides");
        return { op: "maxPool", name, input, size, strides, shape: { ...shape, ...validSize(shape, size, strides) } };
      }
      case "PadV2": {
        const [, , top, bottom, left, right] = this.#numbers(second);
        const padded = { ...shape, height: shape.height + top + bottom, width: shape.width + left + right };
        return { op: "pad", name, input, borders: [top, left], shape: padded };
      }
      case "Mean":
        return { op: "mean", name, input, shape: { height: 1, width: 1, channels: shape.channels } };
      case "Reshape":
        return { op: "flatten", name, input, shape: { height: 1, width: 1, channels: sizeOf(shape) } };
      case "MatMul":
      case "_FusedMatMul": {
        if (fusedActivation(node) !== undefined) return this.#refuse(node, "has an activation");
        const { shape: [, channels], values } = this.#weight(second);
        const bias = node.input!.length > 2 ? this.#numbers(node.input![2]) : new Float32Array(channels);
        return {
          ...{ op: "dense", name, input, shape: { height: 1, width: 1, channels } },
          ...{ kernel: Float32Array.from(values), bias },
        };
      }
      default:
        return this.#refuse(node, "is not one of its operations");
    }
  }

  #convolution(node: NodeDef): Convolution {
    const [input, kernelName, biasName, slopesName] = node.input!;
    const depthwise = node.op.includes("Depthwise");
    const kernel = this.#weight(kernelName);
    const [height, width, ins, outs] = kernel.shape;
    if (depthwise && outs !== 1) return this.#refuse(node, "has several filters for each channel");
    if (pair(node, "dilations").some((step) => step !== 1)) return this.#refuse(node, "is dilated");
    const channels = depthwise ? ins : outs;
    const strides = pair(node, "strides");
    const { borders, size } = placed(node, this.#shapes.get(input)!, [height, width], strides);
    const kind = fusedActivation(node);
    const slopes = kind === "Prelu" ? this.#numbers(slopesName) : null;
    return {
      ...{ op: "convolve", name: node.name, input, shape: { ...size, channels }, depthwise, kernel, strides, borders },
      scale: new Float64Array(channels).fill(1),
      bias: biasName === undefined ? new Float32Array(channels) : this.#numbers(biasName),
      biasName: biasName ?? null,
      addend: null,
      activation: activationOf(kind, channels, slopes) ?? this.#refuse(node, `has the activation ${kind}`),
    };
  }

  /** A convolution whose channels are multiplied. */
  #scaled(node: NodeDef): Layer {
    const before = this.#soleTakerOf(node.input![0]);
    const factors = this.#numbers(node.input![1]);
    if (before?.op !== "convolve" || before.addend !== null || factors.length !== before.shape.channels) {
      return this.#refuse(node, "multiplies what is no convolution");
    }
    if (factors.some((factor) => !(factor > 0))) {
      return this.#refuse(node, "multiplies by numbers that are not positive");
    }
    this.#layers.delete(before.name);
    const { activation, scale } = before;
    return {
      ...before,
      name: node.name,
      scale: scale.map((value, i) => value * factors[i]),
      activation: { ...activation, highest: activation.highest.map((limit, i) => limit * factors[i]) },
    };
  }

  #activated(node: NodeDef): Layer {
    const before = this.#soleTakerOf(node.input![0]);
    if (before === undefined || !isLinear(before)) return this.#refuse(node, "stands alone");
    const slopes = node.op === "Prelu" ? this.#numbers(node.input![1]) : null;
    const activation = activationOf(node.op, before.shape.channels, slopes);
    if (activation === undefined) return this.#refuse(node, "has slopes that differ from place to place");
    this.#layers.delete(before.name);
    return { ...before, name: node.name, activation };
  }

  /** An addition, or the convolution before it with the other value added. */
  #sum(node: NodeDef): Layer {
    const { name } = node;
    const [a, b] = node.input!;
    if (!this.#shapes.has(b)) return this.#refuse(node, "adds a constant");
    const order = [...this.#layers.keys()];
    const [earlier, later] = order.indexOf(a) < order.indexOf(b) ? [a, b] : [b, a];
    const before = a === b ? undefined : this.#soleTakerOf(later);
    if (before?.op === "convolve" && isLinear(before) && before.addend === null) {
      this.#layers.delete(before.name);
      return { ...before, name, addend: earlier };
    }
    const shape = this.#shapes.get(a)!;
    return { op: "add", name, input: a, addend: b, shape, activation: activationOf(undefined, shape.channels, null)! };
  }

  #normalization(node: NodeDef): Layer {
    const [input, factor] = node.input!;
    const chain: NodeDef[] = [];
    for (const op of ["Rsqrt", "Maximum", "Sum", "Square"]) {
      const part = this.#byName.get(chain.at(-1)?.input?.[0] ?? factor);
      if (part?.op !== op) return this.#refuse(node, "multiplies two values");
      chain.push(part);
    }
    if (chain[3].input![0] !== input) return this.#refuse(node, "multiplies two values");
    const [epsilon] = this.#numbers(chain[1].input![1]);
    return { op: "normalize", name: node.name, input, epsilon, shape: this.#shapes.get(input)! };
  }

  /** The layer that computes a value, if one node alone takes it. */
  #soleTakerOf(name: string): Layer | undefined {
    return this.#takers.get(name) === 1 ? this.#layers.get(name) : undefined;
  }

  #weight(name: string): Weight {
    const weight = this.#weights.get(name);
    if (weight === undefined) throw new ModelError(`The graph's weight ${name} is missing; copy the model again.`);
    return weight;
  }

  #numbers(name: string): Float32Array {
    return Float32Array.from(this.#weight(name).values);
  }

  #refuse(node: NodeDef, why: string): never {
    throw new ModelError(
      `The network cannot be computed in int8: its operation ${node.op} (${node.name}) ${why}; export with --quantize uint8.`,
    );
  }
}

function isLinear(layer: Layer): layer is Convolution | Addition {
  if (layer.op !== "convolve" && layer.op !== "add") return false;
  const { lowest, highest, slopes } = layer.activation;
  return lowest === -Infinity && slopes === null && highest.every((limit) => limit === Infinity);
}

function activationOf(kind: string | undefined, channels: number, slopes: Float32Array | null): Activation | undefined {
  const highest = new Float64Array(channels).fill(kind === "Relu6" ? 6 : Infinity);
  switch (kind) {
    case undefined:
      return { lowest: -Infinity, highest, slopes: null };
    case "Relu":
    case "Relu6":
      return { lowest: 0, highest, slopes: null };
    case "Prelu":
      return slopes?.length === channels ? { lowest: -Infinity, highest, slopes } : undefined;
    default:
      return undefined;
  }
}

function fusedActivation({ attr }: NodeDef): string | undefined {
  return attr.fused_ops?.list?.s?.map(text).find((op) => op !== "BiasAdd");
}

type Size = Pick<Shape, "height" | "width">;

/** Where a convolution begins over the border, and how large its output is. */
function placed(
  node: NodeDef,
  { height, width }: Size,
  kernel: [number, number],
  strides: readonly [number, number],
): { borders: [number, number]; size: Size } {
  switch (text(node.attr.padding.s)) {
    case "SAME": {
      const size = { height: Math.ceil(height / strides[0]), width: Math.ceil(width / strides[1]) };
      const before = (out: number, axis: 0 | 1, length: number) =>
        Math.max(0, (out - 1) * strides[axis] + kernel[axis] - length) >> 1;
      return { borders: [before(size.height, 0, height), before(size.width, 1, width)], size };
    }
    case "VALID":
      return { borders: [0, 0], size: validSize({ height, width }, kernel, strides) };
    default: {
      const [, , top, bottom, left, right] = node.attr.explicit_paddings.list!.i!.map(Number);
      const padded = { height: height + top + bottom, width: width + left + right };
      return { borders: [top, left], size: validSize(padded, kernel, strides) };
    }
  }
}

function validSize(
  { height, width }: Size,
  window: readonly [number, number],
  strides: readonly [number, number],
): Size {
  return {
    height: Math.floor((height - window[0]) / strides[0]) + 1,
    width: Math.floor((width - window[1]) / strides[1]) + 1,
  };
}

function placeholderShape({ attr }: NodeDef): Shape {
  const [, height, width, channels] = attr.shape.shape!.dim!.map(({ size }) => Number(size));
  return { height, width, channels };
}

/** The two middle numbers of four. */
function pair({ attr }: NodeDef, name: string): [number, number] {
  const numbers = attr[name]?.list?.i?.map(Number) ?? [1, 1, 1, 1];
  return [numbers[1], numbers[2]];
}

function text(base64: string | undefined): string {
  return atob(base64 ?? "");
}
