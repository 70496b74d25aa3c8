import * as tf from "@tensorflow/tfjs";
import { cosineSimilarity, pairwiseDistance } from "../../trainer/losses/mod.ts";
import { normalizeBatch } from "../../trainer/models/batch_norm.ts";
import { l2Normalize } from "../../trainer/models/l2_normalize.ts";
import { normalizeFixed } from "../../trainer/models/normalize_fixed.ts";
import { prelu } from "../../trainer/models/prelu.ts";
import { relu, relu6 } from "../../trainer/models/relu.ts";

/** An operation, with the shapes of its arguments, which are normally distributed. */
export interface Case {
  shapes: number[][];
  compute: (...inputs: tf.Tensor[]) => tf.Tensor;
}

type Conv = [x: tf.Tensor4D, w: tf.Tensor4D];

/** Convolutions of all the kinds in the backbones; the last two are large enough that their sums are split on a GPU. */
const CONVOLUTIONS: Record<string, Case> = Object.fromEntries([
  ...[1, 3, 5].flatMap((kernel) =>
    [1, 2].flatMap((stride) =>
      (["same", "valid"] as const).map((pad): [string, Case] => [
        `${kernel}x${kernel} convolution, stride ${stride}, ${pad}`,
        {
          shapes: [[3, 9, 8, 5], [kernel, kernel, 5, 7]],
          compute: (...xw) => tf.conv2d(...(xw as Conv), stride, pad),
        },
      ])
    )
  ),
  ...[3, 5].flatMap((kernel) =>
    [1, 2].flatMap((stride) =>
      (["same", "valid"] as const).map((pad): [string, Case] => [
        `${kernel}x${kernel} depthwise convolution, stride ${stride}, ${pad}`,
        {
          shapes: [[3, 9, 8, 6], [kernel, kernel, 6, 1]],
          compute: (...xw) => tf.depthwiseConv2d(...(xw as Conv), stride, pad),
        },
      ])
    )
  ),
  ["7x7 convolution, stride 2, of 3 channels to 66", {
    shapes: [[2, 25, 23, 3], [7, 7, 3, 66]],
    compute: (...xw) => tf.conv2d(...(xw as Conv), 2, "valid"),
  }],
  ["convolution with unequal strides and explicit padding", {
    shapes: [[2, 9, 8, 4], [3, 5, 4, 4]],
    compute: (...xw) => tf.conv2d(...(xw as Conv), [1, 2], [[0, 0], [3, 1], [0, 2], [0, 0]]),
  }],
  ["convolution of one pixel", {
    shapes: [[1, 1, 1, 4], [3, 3, 4, 8]],
    compute: (...xw) => tf.conv2d(...(xw as Conv), 1, "same"),
  }],
  ["depthwise convolution with a channel multiplier", {
    shapes: [[2, 7, 6, 3], [3, 3, 3, 2]],
    compute: (...xw) => tf.depthwiseConv2d(...(xw as Conv), 1, "same"),
  }],
  ["1x1 convolution of many pixels, 65 channels to 65", {
    shapes: [[3, 16, 15, 65], [1, 1, 65, 65]],
    compute: (...xw) => tf.conv2d(...(xw as Conv), 1, "same"),
  }],
  ["3x3 convolution of many pixels, 8 channels to 12", {
    shapes: [[4, 9, 11, 8], [3, 3, 8, 12]],
    compute: (...xw) => tf.conv2d(...(xw as Conv), 1, "same"),
  }],
  ["3x3 convolution of many pixels without zeros around them, 12 channels to 20", {
    shapes: [[5, 12, 9, 12], [3, 3, 12, 20]],
    compute: (...xw) => tf.conv2d(...(xw as Conv), 1, "valid"),
  }],
  ["3x3 convolution of many pixels with uneven zeros around them", {
    shapes: [[5, 11, 12, 4], [3, 3, 4, 8]],
    compute: (...xw) => tf.conv2d(...(xw as Conv), 1, [[0, 0], [2, 0], [0, 1], [0, 0]]),
  }],
  ["depthwise convolution of many pixels, 65 channels", {
    shapes: [[4, 16, 15, 65], [3, 3, 65, 1]],
    compute: (...xw) => tf.depthwiseConv2d(...(xw as Conv), 1, "same"),
  }],
]);

const POOLS: Record<string, Case> = Object.fromEntries(
  (["maxPool", "avgPool"] as const).flatMap((kind) =>
    [1, 2].flatMap((stride) =>
      // tfjs's own gradient of an average divides by the whole window at the border, where the average did not.
      (kind === "maxPool" ? ["same", "valid"] as const : ["valid"] as const).flatMap((pad) =>
        [0, -10].map((offset): [string, Case] => [
          `${kind}, stride ${stride}, ${pad}, values about ${offset}`,
          {
            shapes: [[2, 9, 8, 3]],
            compute: (x) => tf[kind](tf.add(x, offset) as tf.Tensor4D, 3, stride, pad),
          },
        ])
      )
    )
  ),
);

const gather = (x: tf.Tensor, axis: number) => tf.gather(x, tf.tensor1d([2, 0, 2, 1, 2], "int32"), axis);
const positive = (x: tf.Tensor) => tf.add(tf.abs(x), 0.1);
/** As lasting as a layer's variables: the gradient reads them again. */
const statistic = (...values: number[]) => tf.keep(tf.tensor1d(values));

/** Every operation of our networks and losses. */
export const CASES: Record<string, Case> = {
  ...CONVOLUTIONS,
  ...POOLS,
  "dense layer": { shapes: [[6, 9], [9, 11], [11]], compute: (x, w, b) => tf.add(tf.matMul(x, w), b) },
  "matrix product, first transposed": { shapes: [[9, 6], [9, 11]], compute: (a, b) => tf.matMul(a, b, true) },
  "matrix product, second transposed": { shapes: [[6, 9], [11, 9]], compute: (a, b) => tf.matMul(a, b, false, true) },
  "matrix product, both transposed": { shapes: [[9, 6], [11, 9]], compute: (a, b) => tf.matMul(a, b, true, true) },
  "batched matrix product": { shapes: [[3, 4, 5], [3, 6, 5]], compute: (a, b) => tf.matMul(a, b, false, true) },
  "large matrix product": { shapes: [[40, 300], [300, 33]], compute: (a, b) => tf.mul(tf.matMul(a, b), 0.1) },
  "batch normalisation in training": {
    shapes: [[4, 5, 6, 3], [3], [3]],
    compute: (x, gamma, beta) => normalizeBatch(x, gamma as tf.Tensor1D, beta as tf.Tensor1D, 1e-3).y,
  },
  "batch normalisation by given statistics": {
    shapes: [[4, 5, 6, 3], [3], [3]],
    compute: (x, gamma, beta) =>
      normalizeFixed(x, {
        gamma: gamma as tf.Tensor1D,
        beta: beta as tf.Tensor1D,
        mean: statistic(0.3, -0.2, 0.1),
        variance: statistic(1.5, 0.4, 0.9),
        epsilon: 1e-3,
      }),
  },
  "relu": { shapes: [[20, 3]], compute: (x) => tf.relu(x) },
  "relu6": { shapes: [[20, 3]], compute: (x) => tf.relu6(tf.mul(x, 5)) },
  "relu layer": { shapes: [[20, 3]], compute: (x) => relu().apply(x) as tf.Tensor },
  "relu6 layer": { shapes: [[20, 3]], compute: (x) => relu6().apply(tf.mul(x, 5)) as tf.Tensor },
  "prelu": { shapes: [[2, 4, 5, 3], [3]], compute: (x, alpha) => tf.prelu(x, alpha) },
  "prelu layer": {
    shapes: [[2, 9, 8, 6]],
    compute: (x) =>
      prelu({ sharedAxes: [1, 2], alphaInitializer: tf.initializers.constant({ value: 0.25 }) }).apply(x) as tf.Tensor,
  },
  "sigmoid": { shapes: [[20, 3]], compute: (x) => tf.sigmoid(x) },
  "swish": { shapes: [[20, 3]], compute: (x) => tf.mul(x, tf.sigmoid(x)) },
  "softplus": { shapes: [[20, 3]], compute: (x) => tf.softplus(x) },
  "softmax": { shapes: [[6, 5]], compute: (x) => tf.softmax(x) },
  "exponential and logarithm": { shapes: [[6, 5]], compute: (x) => tf.log(tf.add(tf.exp(x), 1)) },
  "absolute value": { shapes: [[6, 5]], compute: (x) => tf.abs(x) },
  "L2 normalisation": { shapes: [[6, 5]], compute: (x) => l2Normalize().apply(x) as tf.Tensor },
  "L2 normalisation of a zero row": {
    shapes: [[6, 5]],
    compute: (x) => l2Normalize().apply(tf.mul(x, tf.tensor2d([1, 1, 0, 1, 1, 1], [6, 1]))) as tf.Tensor,
  },
  "Euclidean distances": { shapes: [[7, 5]], compute: (x) => pairwiseDistance(x as tf.Tensor2D, "L2") },
  "squared distances": { shapes: [[7, 5]], compute: (x) => pairwiseDistance(x as tf.Tensor2D, "squared-L2") },
  "angular distances": { shapes: [[7, 5]], compute: (x) => pairwiseDistance(x as tf.Tensor2D, "angular") },
  "cosines": {
    shapes: [[7, 5], [4, 5]],
    compute: (a, b) => cosineSimilarity(a as tf.Tensor2D, b as tf.Tensor2D),
  },
  "broadcasting": { shapes: [[4, 3, 5], [3, 1]], compute: (a, b) => tf.sub(tf.add(a, b), tf.mul(a, b)) },
  "residual sum": { shapes: [[2, 3, 4, 5], [2, 3, 4, 5]], compute: (a, b) => tf.relu(tf.add(a, b)) },
  "quotient and root": { shapes: [[6, 5]], compute: (x) => tf.div(x, tf.sqrt(positive(x))) },
  "reciprocal root": { shapes: [[6, 5]], compute: (x) => tf.rsqrt(positive(x)) },
  "power": { shapes: [[6, 5]], compute: (x) => tf.pow(positive(x), 1.5) },
  "greater and lesser of two": {
    shapes: [[6, 5], [6, 5]],
    compute: (a, b) => tf.sub(tf.maximum(a, b), tf.minimum(a, 0.3)),
  },
  "sum over rows": { shapes: [[70, 9]], compute: (x) => tf.sum(x, 0) },
  "sum of all": { shapes: [[70, 9]], compute: (x) => tf.mul(tf.sum(x), 0.1) },
  "mean over pixels": { shapes: [[2, 4, 5, 3]], compute: (x) => tf.mean(x, [1, 2]) },
  "moments": { shapes: [[3, 4, 5, 3]], compute: (x) => tf.stack(Object.values(tf.moments(x, [0, 1, 2]))) },
  "maximum along an axis": { shapes: [[7, 9]], compute: (x) => tf.max(x, 1) },
  "minimum along an axis": { shapes: [[7, 9]], compute: (x) => tf.min(x, 1) },
  "logarithm of summed exponentials": { shapes: [[6, 5]], compute: (x) => tf.logSumExp(x, 1) },
  "choice by a condition": {
    shapes: [[2, 3]],
    compute: (x) => tf.where(tf.tensor2d([[1, 0, 1], [0, 0, 1]], [2, 3], "bool"), x, tf.mul(x, 3)),
  },
  "clipping": { shapes: [[6, 5]], compute: (x) => tf.clipByValue(x, -0.5, 0.5) },
  "gather": { shapes: [[4, 3]], compute: (x) => gather(x, 0) },
  "gather along the second axis": { shapes: [[4, 3]], compute: (x) => gather(x, 1) },
  "segment sum": {
    shapes: [[5, 3]],
    compute: (x) => tf.unsortedSegmentSum(x, tf.tensor1d([2, 0, 2, 1, 2], "int32"), 4),
  },
  "padding": { shapes: [[2, 3, 4, 2]], compute: (x) => tf.pad(x, [[0, 0], [1, 2], [1, 1], [0, 3]]) },
  "slice and concatenation": {
    shapes: [[3, 6]],
    compute: (x) => tf.concat([tf.slice(x, [0, 2], [3, 4]), tf.slice(x, [0, 0], [3, 2])], 1),
  },
  "split and stack": { shapes: [[6, 4]], compute: (x) => tf.stack(tf.split(x, 3)) },
  "transposition": { shapes: [[2, 3, 4]], compute: (x) => tf.mul(tf.transpose(x, [2, 0, 1]), 2) },
  "reshaping": { shapes: [[2, 3, 4]], compute: (x) => tf.square(tf.reshape(x, [4, 6])) },
};
