import { ModelError } from "../../shared/errors.ts";
import type { Activation, Borders, Constant, Node } from "./ir.ts";

/** Sizes of a tensor's axes; null where any size goes. */
export type Shape = readonly (number | null)[];

/** One use of one layer: a shared layer has several. */
export interface LayerCall {
  /** The name of the node that stands for the layer's output, unique in the graph. */
  readonly name: string;
  /** The layer's own name, for messages. */
  readonly layerName: string;
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly weights: readonly Constant[];
  readonly inputs: readonly string[];
  readonly inputShapes: readonly Shape[];
  readonly outputShape: Shape;
}

type Reader = (call: LayerCall) => Node[];

/** The class names of the layers that have a counterpart in the graph, in alphabetical order. */
export function exportableLayers(): string[] {
  return Object.keys(READERS).sort();
}

/**
 * The nodes that compute what a layer computes at inference; the last is its output. None if the layer passes its input on.
 *
 * @throws {ModelError} if the layer, or a setting of it, has no counterpart in the graph
 */
export function readLayer(call: LayerCall): Node[] {
  const reader = READERS[call.className];
  if (reader === undefined) {
    throw new ModelError(
      `The layer "${call.layerName}" is a ${call.className}, which cannot be exported; use layers of these kinds: ${
        exportableLayers().join(", ")
      }.`,
    );
  }
  if (call.config.dataFormat === "channelsFirst") refuse(call, "the data format channelsFirst");
  return reader(call);
}

const READERS: Readonly<Record<string, Reader>> = {
  Conv2D: (call) => convolution(call, "Conv2D", pair(call.config.dilationRate)),
  DepthwiseConv2D: (call) => {
    // tf.layers computes this layer without its dilation, so no graph could agree with both.
    if (pair(call.config.dilationRate).some((rate) => rate !== 1)) refuse(call, "a dilation");
    return convolution(call, "DepthwiseConv2dNative", [1, 1]);
  },
  SeparableConv2D: (call) => {
    const [depthwise, pointwise, bias] = call.weights;
    const first = `${call.name}/depthwise`;
    return [
      {
        op: "DepthwiseConv2dNative",
        name: first,
        inputs: call.inputs,
        kernel: depthwise,
        bias: null,
        activation: null,
        strides: pair(call.config.strides),
        dilations: pair(call.config.dilationRate),
        padding: padding(call),
      },
      ...activated(call, (name) => ({
        op: "Conv2D",
        name,
        inputs: [first],
        kernel: pointwise,
        bias: bias ?? null,
        activation: null,
        strides: [1, 1],
        dilations: [1, 1],
        padding: "VALID",
      })),
    ];
  },
  Dense: (call) => {
    if (call.inputShapes[0].length !== 2) {
      refuse(call, `an input of ${call.inputShapes[0].length} dimensions (put Flatten or pooling before it)`);
    }
    const [kernel, bias] = call.weights;
    return activated(call, (name) => ({
      op: "MatMul",
      name,
      inputs: call.inputs,
      kernel,
      bias: bias ?? null,
      activation: null,
    }));
  },
  BatchNormalization: batchNormalization,
  Activation: (call) => activate(call, namedActivation(call)),
  ReLU: (call) => {
    const maximum = call.config.maxValue ?? null;
    if (maximum !== null && maximum !== 6) refuse(call, `the maximum ${maximum}`);
    return activate(call, { kind: maximum === 6 ? "Relu6" : "Relu" });
  },
  LeakyReLU: (call) => activate(call, { kind: "LeakyRelu", alpha: call.config.alpha as number }),
  ELU: (call) => {
    if ((call.config.alpha ?? 1) !== 1) refuse(call, `the alpha ${call.config.alpha}`);
    return activate(call, { kind: "Elu" });
  },
  PReLU: (call) => activate(call, { kind: "Prelu", alpha: slopes(call) }),
  Add: (call) => combined(call, "AddV2"),
  Multiply: (call) => combined(call, "Mul"),
  Concatenate: (call) => {
    const rank = call.outputShape.length;
    const axis = call.config.axis as number ?? -1;
    return [{ op: "ConcatV2", name: call.name, inputs: call.inputs, axis: axis < 0 ? axis + rank : axis }];
  },
  MaxPooling2D: (call) => pool(call, "MaxPool"),
  AveragePooling2D: (call) => pool(call, "AvgPool"),
  GlobalAveragePooling2D: (call) => [{ op: "Mean", name: call.name, inputs: call.inputs, keepDims: false }],
  GlobalMaxPooling2D: (call) => [{ op: "Max", name: call.name, inputs: call.inputs, keepDims: false }],
  ZeroPadding2D: (call) => [
    { op: "PadV2", name: call.name, inputs: call.inputs, borders: call.config.padding as Borders, channels: 0 },
  ],
  ZeroChannels: (call) => [
    {
      op: "PadV2",
      name: call.name,
      inputs: call.inputs,
      borders: [[0, 0], [0, 0]],
      channels: call.config.count as number,
    },
  ],
  Flatten: reshape,
  Reshape: reshape,
  Dropout: () => [],
  GaussianNoise: () => [],
  GaussianDropout: () => [],
  AlphaDropout: () => [],
  L2Normalize: (call) => {
    if (call.outputShape.length !== 2) refuse(call, `an input of ${call.outputShape.length} dimensions`);
    return [{ op: "L2Normalize", name: call.name, inputs: call.inputs, epsilon: call.config.epsilon as number }];
  },
};

function convolution(
  call: LayerCall,
  op: "Conv2D" | "DepthwiseConv2dNative",
  dilations: readonly [number, number],
): Node[] {
  const [kernel, bias] = call.weights;
  return activated(call, (name) => ({
    op,
    name,
    inputs: call.inputs,
    kernel,
    bias: bias ?? null,
    activation: null,
    strides: pair(call.config.strides),
    dilations,
    padding: padding(call),
  }));
}

/** Inference as one multiplication and addition a channel (Ioffe and Szegedy 2015, algorithm 2, step 11). */
function batchNormalization(call: LayerCall): Node[] {
  const { axis, epsilon, center, scale: scaled } = call.config;
  const rank = call.inputShapes[0].length;
  if (axis !== -1 && axis !== rank - 1) refuse(call, `the axis ${axis} (only the last)`);
  const weights = [...call.weights];
  const gamma = scaled === false ? undefined : weights.shift()?.values;
  const beta = center === false ? undefined : weights.shift()?.values;
  const [mean, variance] = weights.map((weight) => weight.values);
  const scale = Float64Array.from(variance, (value, i) => (gamma?.[i] ?? 1) / Math.sqrt(value + (epsilon as number)));
  const shift = Float64Array.from(mean, (value, i) => (beta?.[i] ?? 0) - value * scale[i]);
  return [{ op: "Affine", name: call.name, inputs: call.inputs, scale, shift }];
}

/** A layer's linear part, followed by the activation of its `activation` setting. */
function activated(call: LayerCall, linear: (name: string) => Node): Node[] {
  const activation = namedActivation(call);
  if (activation === null) return [linear(call.name)];
  const before = `${call.name}/linear`;
  return [linear(before), { op: "Activate", name: call.name, inputs: [before], activation }];
}

function activate(call: LayerCall, activation: Activation | null): Node[] {
  return activation === null ? [] : [{ op: "Activate", name: call.name, inputs: call.inputs, activation }];
}

const ACTIVATIONS = {
  relu: "Relu",
  relu6: "Relu6",
  elu: "Elu",
  selu: "Selu",
  sigmoid: "Sigmoid",
  tanh: "Tanh",
  swish: "Swish",
} as const;

function namedActivation(call: LayerCall): Activation | null {
  const name = call.config.activation ?? "linear";
  if (name === "linear") return null;
  const kind = ACTIVATIONS[name as keyof typeof ACTIVATIONS];
  if (kind === undefined) refuse(call, `the activation ${name} (only ${Object.keys(ACTIVATIONS).join(", ")})`);
  return { kind };
}

/** The slopes as `[channels]` where they differ by channel alone: the form that a convolution can take in. */
function slopes(call: LayerCall): Constant {
  const [alpha] = call.weights;
  const channels = alpha.shape[alpha.shape.length - 1];
  if (alpha.values.length === channels) return shaped(alpha, [channels]);
  const whole = call.inputShapes[0].slice(1);
  if (alpha.shape.some((size, i) => size !== whole[i])) {
    refuse(call, "slopes shared over a part of the axes (share [1, 2], or none)");
  }
  return alpha;
}

const reshapes = new WeakMap<Constant, Constant>();

/** The same values under another shape; the same object again for a weight that is shared. */
function shaped(constant: Constant, shape: number[]): Constant {
  const known = reshapes.get(constant);
  if (known !== undefined) return known;
  const made = { ...constant, shape };
  reshapes.set(constant, made);
  return made;
}

/** Folds any number of inputs into operations of two. */
function combined(call: LayerCall, op: "AddV2" | "Mul"): Node[] {
  const [first, ...others] = call.inputs;
  let left = first;
  return others.map((right, i) => {
    const name = i === others.length - 1 ? call.name : `${call.name}/${i + 1}`;
    const node: Node = { op, name, inputs: [left, right] };
    left = name;
    return node;
  });
}

function pool(call: LayerCall, op: "MaxPool" | "AvgPool"): Node[] {
  const size = pair(call.config.poolSize);
  const strides = pair(call.config.strides ?? size);
  return [{ op, name: call.name, inputs: call.inputs, size, strides, padding: padding(call) }];
}

function reshape(call: LayerCall): Node[] {
  const from = call.inputShapes[0].slice(1);
  const to = call.outputShape.slice(1);
  if (from.includes(null)) refuse(call, "an input of open size");
  const isOpen = (size: number | null) => size === null || size < 0;
  const known = product(to.filter((size) => !isOpen(size)));
  const shape = to.map((size) => isOpen(size) ? product(from) / known : size as number);
  return [{ op: "Reshape", name: call.name, inputs: call.inputs, shape }];
}

function product(sizes: Shape): number {
  return sizes.reduce<number>((product, size) => product * (size ?? 1), 1);
}

function padding(call: LayerCall): "SAME" | "VALID" {
  const name = String(call.config.padding ?? "valid").toUpperCase();
  if (name !== "SAME" && name !== "VALID") refuse(call, `the padding ${call.config.padding}`);
  return name;
}

function pair(value: unknown): [number, number] {
  if (Array.isArray(value)) return value.length === 1 ? [value[0], value[0]] : [value[0], value[1]];
  return [Number(value ?? 1), Number(value ?? 1)];
}

function refuse(call: LayerCall, setting: string): never {
  throw new ModelError(`The layer "${call.layerName}" (${call.className}) has ${setting}, which cannot be exported.`);
}
