import * as tf from "@tensorflow/tfjs";
import { ModelError } from "../../../shared/errors.ts";
import { LOSSES } from "../../losses/mod.ts";
import { normalizeBatch } from "../../models/batch_norm.ts";
import { createEmbedder } from "../../models/embedder.ts";
import { wholeNetwork } from "../../models/split.ts";
import { createOptimizer, trainableVariables } from "../../optimizers/mod.ts";
import { randomStream } from "../../random.ts";
import { cpuEngine } from "../cpu.ts";
import type { Engine } from "../engine.ts";

/** A function of tensors, with the shapes of its arguments. */
interface Case {
  shapes: number[][];
  compute(...inputs: tf.Tensor[]): tf.Tensor;
}

const LABELS = Int32Array.of(0, 0, 1, 1, 2, 2, 3, 3);

/** What training differentiates. */
const CASES: Record<string, Case> = {
  "a 3x3 convolution": {
    shapes: [[2, 9, 8, 3], [3, 3, 3, 4]],
    compute: (x, w) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, "same"),
  },
  "a 3x3 convolution of stride 2": {
    shapes: [[2, 9, 8, 3], [3, 3, 3, 4]],
    compute: (x, w) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 2, "same"),
  },
  "a depthwise convolution": {
    shapes: [[2, 9, 8, 4], [3, 3, 4, 1]],
    compute: (x, w) => tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, 2, "same"),
  },
  "a matrix product": { shapes: [[6, 9], [11, 9]], compute: (a, b) => tf.matMul(a, b, false, true) },
  "maximum pooling": { shapes: [[2, 9, 8, 3]], compute: (x) => tf.maxPool(x as tf.Tensor4D, 3, 2, "same") },
  "the mean over pixels": { shapes: [[2, 5, 4, 3]], compute: (x) => tf.mean(x, [1, 2]) },
  "batch normalisation": {
    shapes: [[3, 5, 4, 6], [6], [6]],
    compute: (x, gamma, beta) => normalizeBatch(x, gamma as tf.Tensor1D, beta as tf.Tensor1D, 1e-3).y,
  },
  "gathering rows": { shapes: [[4, 3]], compute: (x) => tf.gather(x, tf.tensor1d([2, 0, 2, 1], "int32")) },
  "batch-hard triplets": {
    shapes: [[LABELS.length, 5]],
    compute: (x) => triplets("triplet-hard", x),
  },
  "semi-hard triplets": {
    shapes: [[LABELS.length, 5]],
    compute: (x) => triplets("triplet-semihard", x),
  },
};

/** How many gradients {@link checkGradients} compares. */
export const GRADIENT_CHECKS = Object.keys(CASES).length;
/** What a gradient may differ by, as a share of its greatest element. */
const TOLERANCE = 1e-3;

/**
 * Compares values and gradients of what training is made of with those of tfjs's plain JavaScript backend.
 *
 * @throws {ModelError} if one of them differs
 */
export async function checkGradients(engine: Engine): Promise<void> {
  for (const [name, example] of Object.entries(CASES)) {
    const expected = await valueAndGradients(cpuEngine, example);
    const actual = await valueAndGradients(engine, example);
    const worst = Math.max(...expected.map((values, i) => difference(actual[i], values)));
    if (!(worst <= TOLERANCE)) {
      throw new ModelError(
        `The engine ${engine.name} computes the gradient of ${name} wrong, by ${worst} of its greatest element: take another TensorFlow with --tensorflow DIR.`,
      );
    }
  }
}

/**
 * Trains a small network for one step.
 *
 * @returns the loss of the batch before and after the step
 * @throws {ModelError} if the loss did not fall
 */
export async function checkTrainingStep(engine: Engine): Promise<{ before: number; after: number }> {
  await engine.start();
  const input = { height: 32, width: 32, channels: 3 as const };
  const model = createEmbedder({ backbone: "thin-resnet", input, dimensions: 16, seed: 0 });
  const images = tf.tensor4d(normal(LABELS.length * 32 * 32 * 3, 0), [LABELS.length, 32, 32, 3]);
  const forward = wholeNetwork(model);
  const loss = () => triplets("triplet-hard", forward(images, true).embeddings);
  const optimizer = createOptimizer(trainableVariables(model), { optimizer: "adam", weightDecay: 0, momentum: 0 });
  const step = optimizer.minimize(loss);
  const next = tf.tidy(loss);
  const [before] = await step.loss.data(), [after] = await next.data();
  tf.dispose([images, step.loss, step.gradientNorm, next]);
  optimizer.dispose();
  model.dispose();
  if (!(after < before)) {
    throw new ModelError(
      `The engine ${engine.name} does not train: a step led from a loss of ${before} to ${after}; take another TensorFlow with --tensorflow DIR.`,
    );
  }
  return { before, after };
}

function triplets(name: "triplet-hard" | "triplet-semihard", embeddings: tf.Tensor): tf.Scalar {
  return LOSSES[name]({ classes: 4, dimensions: 5, seed: 0 }).loss(LABELS, embeddings as tf.Tensor2D);
}

/** Value and gradients of `sum(sin(compute(inputs)))`. */
async function valueAndGradients(engine: Engine, { shapes, compute }: Case): Promise<Float32Array[]> {
  await engine.start();
  const tensors = tf.tidy(() => {
    const inputs = shapes.map((shape, i) => tf.tensor(normal(tf.util.sizeFromShape(shape), i), shape));
    const { value, grads } = tf.valueAndGrads((...args) => tf.sum(tf.sin(compute(...args))))(inputs);
    return [value, ...grads];
  });
  const values = await Promise.all(tensors.map((tensor) => tensor.data<"float32">()));
  tf.dispose(tensors);
  return values;
}

/** The greatest difference as a share of the greatest element; NaN if one of them is. */
function difference(actual: Float32Array, expected: Float32Array): number {
  const greatest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
  return expected.reduce((most, value, i) => Math.max(most, Math.abs(value - actual[i])), 0) / greatest;
}

/** Normally distributed numbers (Box and Muller 1958). */
function normal(length: number, seed: number): Float32Array {
  const random = randomStream(seed, "engine check");
  return Float32Array.from(
    { length },
    () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  );
}
