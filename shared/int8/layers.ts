import type { Weight } from "./weights.ts";

/** Of a value: a feature map, or features, which have a height and a width of 1. */
export interface Shape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

interface Named {
  /** Of the value that the layer computes: the name of the last node of the graph that it is made of. */
  readonly name: string;
  readonly input: string;
  /** Of the value. */
  readonly shape: Shape;
}

/** What is done to each number last: it is kept within limits, or bent at 0. */
export interface Activation {
  /** 0 or, where it has no lower limit, -Infinity. */
  readonly lowest: number;
  /** A limit for each channel, Infinity where it has none. */
  readonly highest: Float64Array;
  /** What a number below 0 is multiplied by, for each channel. */
  readonly slopes: Float32Array | null;
}

/** `activation(scale * (x * kernel + bias) + addend)`, with a scale and a bias for each channel. */
export interface Convolution extends Named {
  readonly op: "convolve";
  readonly depthwise: boolean;
  /** `[height, width, in, out]`, or `[height, width, channels, 1]` of a depthwise one. */
  readonly kernel: Weight;
  readonly strides: readonly [vertical: number, horizontal: number];
  /** Rows of zeros above the input and columns to its left; below and to the right there are as many as the shape needs. */
  readonly borders: readonly [top: number, left: number];
  readonly scale: Float64Array;
  readonly bias: Float32Array;
  /** The weight that the bias is, if it is one. */
  readonly biasName: string | null;
  /** The name of a value of the same shape that is added, as at the end of a residual block. */
  readonly addend: string | null;
  readonly activation: Activation;
}

/** `activation(x + addend)`. */
export interface Addition extends Named {
  readonly op: "add";
  readonly addend: string;
  readonly activation: Activation;
}

/** The greatest value in each window; windows do not reach over the border. */
export interface MaxPool extends Named {
  readonly op: "maxPool";
  readonly size: readonly [height: number, width: number];
  readonly strides: readonly [vertical: number, horizontal: number];
}

/** Zeros around a feature map. */
export interface Pad extends Named {
  readonly op: "pad";
  readonly borders: readonly [top: number, left: number];
}

/** The mean over height and width. */
export interface Mean extends Named {
  readonly op: "mean";
}

/** All values of a feature map, row by row, as features. */
export interface Flatten extends Named {
  readonly op: "flatten";
}

/** `x * kernel + bias` in float32, kernel `[in, out]`. */
export interface Dense extends Named {
  readonly op: "dense";
  readonly kernel: Float32Array;
  readonly bias: Float32Array;
}

/** `x / sqrt(max(sum of squares, epsilon))` in float32. */
export interface Normalize extends Named {
  readonly op: "normalize";
  readonly epsilon: number;
}

/** A layer as int8 inference takes it: what follows a convolution is part of it. */
export type Layer = Convolution | Addition | MaxPool | Pad | Mean | Flatten | Dense | Normalize;

/** A network as a chain of layers, each after those whose values it takes. */
export interface Layers {
  readonly layers: readonly Layer[];
  /** The name and shape of the network's input. */
  readonly input: string;
  readonly inputShape: Shape;
}

/** How many numbers a value has. */
export function sizeOf({ height, width, channels }: Shape): number {
  return height * width * channels;
}
