import * as tf from "@tensorflow/tfjs";
import type { Grid } from "../../../shared/card.ts";
import {
  type AdditionStep,
  CODE_MAX,
  type ConvolutionStep,
  type Finish,
  type Layer,
  type Operand,
  type PlainStep,
  type Plan,
  type Step,
} from "../../../shared/int8/mod.ts";

/** Int8 inference on tfjs, of many images at a time. To be disposed. */
export interface Simulation {
  /**
   * @param batch `[batch, height, width, channels] float32`
   * @param watch sees each value, codes or numbers, as it is computed
   * @returns embeddings, `[batch, dim] float32`
   */
  predict(batch: tf.Tensor, watch?: (step: Step, value: tf.Tensor) => void): tf.Tensor;
  dispose(): void;
}

/** What a convolution computes with. */
export interface ConvolutionWeights {
  /** Whole numbers, or the kernel of a convolution in float32. */
  readonly filter: tf.Tensor;
  /** For each channel, as in {@link ConvolutionStep}. */
  readonly multiplier: tf.Tensor;
  readonly offset: tf.Tensor;
}

/** What a dense layer computes with: kernel `[in, out]`, bias `[out]`. */
export interface DenseWeights {
  readonly kernel: tf.Tensor;
  readonly bias: tf.Tensor;
}

/** Functions that give what a layer computes with, each time that it computes. */
export interface Weights {
  convolution(step: ConvolutionStep): () => ConvolutionWeights;
  dense(layer: DenseLayer): () => DenseWeights;
}

/** A dense layer of a plan. */
export type DenseLayer = Extract<Layer, { op: "dense" }>;

/**
 * The arithmetic of a plan by tfjs's operations. Whole numbers in float32 are exact up to 2^24, and the roundings are the same,
 * so on the WASM backend the codes are those of the reference wherever sums stay below that.
 *
 * Differentiable: gradients go straight through a rounding, and are 0 where a code was clamped (Jacob et al. 2018, section 3).
 *
 * @param weights instead of those of the plan
 */
export function simulate(plan: Plan, weights?: Weights): Simulation {
  const kept: tf.Tensor[] = [];
  const keep: Keep = (tensor) => {
    kept.push(tf.keep(tensor));
    return tensor;
  };
  const computed = plan.steps.map((step) => computationOf(step, keep, weights));
  const drop = dropper(plan);
  return {
    predict: (batch, watch) =>
      tf.tidy(() => {
        const values = new Map([[plan.input, batch]]);
        plan.steps.forEach((step, i) => {
          const value = tf.tidy(() => computed[i](values));
          watch?.(step, value);
          values.set(step.layer.name, value);
          drop(i, values);
        });
        return values.get(plan.steps.at(-1)!.layer.name)!;
      }),
    dispose: () => tf.dispose(kept),
  };
}

/** Values by their names. */
export type Values = Map<string, tf.Tensor>;
/** Holds a tensor for as long as what is made with it. */
export type Keep = <T extends tf.Tensor>(tensor: T) => T;

/** A function that disposes, after a step, the values that no later one takes. */
export function dropper({ steps, input }: Plan): (index: number, values: Values) => void {
  const lastUse = new Map<string, number>();
  steps.forEach(({ layer }, i) => {
    lastUse.set(layer.input, i);
    if ("addend" in layer && layer.addend !== null) lastUse.set(layer.addend, i);
  });
  lastUse.delete(input);
  return (index, values) => {
    for (const [name, last] of lastUse) if (last === index) values.get(name)?.dispose();
  };
}

/** What computes a step from the values before it. */
export function computationOf(
  step: Step,
  keep: Keep,
  weights: Weights = ownWeights(keep),
): (values: Values) => tf.Tensor {
  if ("multiplier" in step) return convolution(step, keep, weights);
  if ("operands" in step) return addition(step, keep);
  const compute = plain(step, weights);
  return (values) => compute(values.get(step.layer.input)!);
}

/** The weights that a plan has itself. */
export function ownWeights(keep: Keep): Weights {
  return {
    convolution({ layer: { kernel }, ...step }) {
      const shape = kernel.shape as [number, number, number, number];
      const filter = keep(tf.tensor4d(Float32Array.from(kernel.values), shape));
      const multiplier = keep(tf.tensor1d(step.multiplier)), offset = keep(tf.tensor1d(step.offset));
      return () => ({ filter, multiplier, offset });
    },
    dense(layer) {
      const kernel = keep(tf.tensor2d(layer.kernel, [layer.kernel.length / layer.bias.length, layer.bias.length]));
      const bias = keep(tf.tensor1d(layer.bias));
      return () => ({ kernel, bias });
    },
  };
}

function convolution(step: ConvolutionStep, keep: Keep, weights: Weights): (values: Values) => tf.Tensor {
  const rescaled = rescaledSum(step, keep, weights), finish = finisher(step.finish, keep), { addend } = step;
  return (values) => {
    const v = rescaled(values);
    return finish(addend === null ? v : tf.add(v, scaled(addend, values)));
  };
}

/** The first and second part of the arithmetic of a convolution: `v` before anything is added. */
export function rescaledSum(
  step: ConvolutionStep,
  keep: Keep,
  weights: Weights = ownWeights(keep),
): (values: Values) => tf.Tensor {
  const { layer: { strides, depthwise, input, shape }, padding } = step;
  const weightsNow = weights.convolution(step);
  // With a bias tfjs takes XNNPACK's convolution, which only adds and multiplies; Winograd's is not exact.
  const bias = keep(tf.zeros([shape.channels]));
  const convolve = depthwise ? tf.fused.depthwiseConv2d : tf.fused.conv2d;
  return (values) => {
    const x = bordered(values.get(input) as tf.Tensor4D, step.layer, padding);
    const { filter, multiplier, offset } = weightsNow();
    return rescale(
      convolve({ x, filter: filter as tf.Tensor4D, bias, strides: [...strides], pad: "valid" }),
      multiplier,
      offset,
    );
  };
}

/** `sum * multiplier + offset`. The multiplier is no variable's: its gradient is not asked for, nor the sum kept for it. */
function rescale(sum: tf.Tensor, multiplier: tf.Tensor, offset: tf.Tensor): tf.Tensor {
  return tf.customGrad((...args) => {
    const [sum, offset, save] = args as [tf.Tensor, tf.Tensor, tf.GradSaveFunc];
    save([multiplier]);
    return {
      value: tf.add(tf.mul(sum, multiplier), offset),
      gradFunc: (dy: tf.Tensor, [multiplier]: tf.Tensor[]) => [tf.mul(dy, multiplier), tf.sum(dy, [0, 1, 2])],
    };
  })(sum, offset);
}

/** The input with its border, cut where no window of the convolution reaches. */
function bordered(x: tf.Tensor4D, layer: ConvolutionStep["layer"], padding: number): tf.Tensor4D {
  const { borders, shape, strides, kernel } = layer;
  const [, height, width] = x.shape;
  const after = (axis: 0 | 1, out: number, length: number) =>
    (out - 1) * strides[axis] + kernel.shape[axis] - borders[axis] - length;
  const bottom = after(0, shape.height, height), right = after(1, shape.width, width);
  const zeros = [bottom, right].map((size) => Math.max(0, size));
  if (borders[0] === 0 && borders[1] === 0 && zeros[0] === 0 && zeros[1] === 0) return x;
  return tf.pad(x, [[0, 0], [borders[0], zeros[0]], [borders[1], zeros[1]], [0, 0]], padding);
}

function addition({ operands: [a, b], finish }: AdditionStep, keep: Keep): (values: Values) => tf.Tensor {
  const finished = finisher(finish, keep);
  return (values) => finished(tf.add(scaled(a, values), scaled(b, values)));
}

function scaled({ name, zero, factor }: Operand, values: Values): tf.Tensor {
  const x = values.get(name)!;
  return tf.mul(zero === 0 ? x : tf.sub(x, zero), factor);
}

function finisher({ lowest, highest, slopes, grid }: Finish, keep: Keep): (v: tf.Tensor) => tf.Tensor {
  const alpha = slopes && keep(tf.tensor1d(slopes)), limit = highest && keep(tf.tensor1d(highest));
  return (v) => {
    if (alpha !== null) v = tf.prelu(v, alpha);
    if (lowest === 0) v = tf.relu(v);
    if (limit !== null) v = tf.minimum(v, limit);
    return grid === null ? v : toCodes(v, grid);
  };
}

function toCodes(v: tf.Tensor, { zero }: Grid): tf.Tensor {
  return tf.customGrad((...args) => {
    const [v, save] = args as [tf.Tensor, tf.GradSaveFunc];
    const rounded = zero === 0 ? tf.round(v) : tf.add(tf.round(v), zero);
    save([rounded]);
    return {
      value: clamp(rounded),
      gradFunc: (dy: tf.Tensor, [rounded]: tf.Tensor[]) => tf.mul(dy, tf.equal(rounded, clamp(rounded))),
    };
  })(v);
}

function clamp(codes: tf.Tensor): tf.Tensor {
  return tf.clipByValue(codes, 0, CODE_MAX);
}

function plain({ layer, grid }: PlainStep, weights: Weights): (x: tf.Tensor) => tf.Tensor {
  switch (layer.op) {
    case "pad": {
      const { borders: [top, left], shape } = layer;
      return (x) => {
        const [, height, width] = x.shape;
        const rows: [number, number] = [top, shape.height - height - top];
        const columns: [number, number] = [left, shape.width - width - left];
        return tf.pad(x, [[0, 0], rows, columns, [0, 0]], grid?.zero ?? 0);
      };
    }
    case "maxPool":
      return (x) => tf.maxPool(x as tf.Tensor4D, [...layer.size], [...layer.strides], "valid");
    case "mean": {
      const { scale, zero } = grid ?? { scale: 1, zero: 0 };
      return (x) => {
        const count = x.shape[1]! * x.shape[2]!;
        return tf.mul(tf.sub(tf.sum(x, [1, 2]), count * zero), Math.fround(scale / count));
      };
    }
    case "flatten":
      return (x) => tf.reshape(x, [x.shape[0], -1]);
    case "dense": {
      const weightsNow = weights.dense(layer);
      return (x) => {
        const { kernel, bias } = weightsNow();
        return tf.add(tf.matMul(x as tf.Tensor2D, kernel as tf.Tensor2D), bias);
      };
    }
    case "normalize":
      return (x) => tf.mul(x, tf.rsqrt(tf.maximum(tf.sum(tf.square(x), 1, true), layer.epsilon)));
  }
}
