import * as tf from "@tensorflow/tfjs";
import {
  type AdditionStep,
  CODE_MAX,
  type ConvolutionStep,
  type Finish,
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

/**
 * The arithmetic of a plan by tfjs's operations. Whole numbers in float32 are exact up to 2^24, and the roundings are the same,
 * so on the WASM backend the codes are those of the reference wherever sums stay below that.
 */
export function simulate(plan: Plan): Simulation {
  const kept: tf.Tensor[] = [];
  const keep: Keep = (tensor) => {
    kept.push(tf.keep(tensor));
    return tensor;
  };
  const computed = plan.steps.map((step) => computationOf(step, keep));
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
export function computationOf(step: Step, keep: Keep): (values: Values) => tf.Tensor {
  if ("multiplier" in step) return convolution(step, keep);
  if ("operands" in step) return addition(step, keep);
  const compute = plain(step, keep);
  return (values) => compute(values.get(step.layer.input)!);
}

function convolution(step: ConvolutionStep, keep: Keep): (values: Values) => tf.Tensor {
  const rescaled = rescaledSum(step, keep), finish = finisher(step.finish, keep), { addend } = step;
  return (values) => {
    const v = rescaled(values);
    return finish(addend === null ? v : tf.add(v, scaled(addend, values)));
  };
}

/** The first and second part of the arithmetic of a convolution: `v` before anything is added. */
export function rescaledSum(step: ConvolutionStep, keep: Keep): (values: Values) => tf.Tensor {
  const { layer: { kernel, strides, depthwise, input, shape }, padding } = step;
  const filter = keep(tf.tensor4d(Float32Array.from(kernel.values), kernel.shape as [number, number, number, number]));
  const multiplier = keep(tf.tensor1d(step.multiplier)), offset = keep(tf.tensor1d(step.offset));
  // With a bias tfjs takes XNNPACK's convolution, which only adds and multiplies; Winograd's is not exact.
  const bias = keep(tf.zeros([shape.channels]));
  const convolve = depthwise ? tf.fused.depthwiseConv2d : tf.fused.conv2d;
  return (values) => {
    const x = bordered(values.get(input) as tf.Tensor4D, step.layer, padding);
    return tf.add(tf.mul(convolve({ x, filter, bias, strides: [...strides], pad: "valid" }), multiplier), offset);
  };
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
    if (grid === null) return v;
    const rounded = tf.round(v);
    return tf.clipByValue(grid.zero === 0 ? rounded : tf.add(rounded, grid.zero), 0, CODE_MAX);
  };
}

function plain({ layer, grid }: PlainStep, keep: Keep): (x: tf.Tensor) => tf.Tensor {
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
      const kernel = keep(tf.tensor2d(layer.kernel, [layer.kernel.length / layer.bias.length, layer.bias.length]));
      const bias = keep(tf.tensor1d(layer.bias));
      return (x) => tf.add(tf.matMul(x as tf.Tensor2D, kernel), bias);
    }
    case "normalize":
      return (x) => tf.mul(x, tf.rsqrt(tf.maximum(tf.sum(tf.square(x), 1, true), layer.epsilon)));
  }
}
