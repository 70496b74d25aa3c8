import * as tf from "@tensorflow/tfjs";
import { assertAgrees, type Case } from "./gradients.ts";

const cases: Record<string, Case> = {
  "relu": { shapes: [[20, 3]], compute: (x) => tf.relu(x) },
  "relu6": { shapes: [[20, 3]], compute: (x) => tf.relu6(tf.mul(x, 5)) },
  "sigmoid times x": { shapes: [[20, 3]], compute: (x) => tf.mul(x, tf.sigmoid(x)) },
  "softplus": { shapes: [[20, 3]], compute: (x) => tf.softplus(x) },
  "addition and subtraction with broadcasting": {
    shapes: [[4, 3, 5], [3, 1]],
    compute: (a, b) => tf.sub(tf.add(a, b), tf.mul(a, b)),
  },
  "matrix product": { shapes: [[6, 9], [9, 11]], compute: (a, b) => tf.matMul(a, b) },
  "matrix product, first transposed": { shapes: [[9, 6], [9, 11]], compute: (a, b) => tf.matMul(a, b, true, false) },
  "matrix product, second transposed": { shapes: [[6, 9], [11, 9]], compute: (a, b) => tf.matMul(a, b, false, true) },
  "matrix product, both transposed": { shapes: [[9, 6], [11, 9]], compute: (a, b) => tf.matMul(a, b, true, true) },
  "batched matrix product": { shapes: [[3, 4, 5], [3, 6, 5]], compute: (a, b) => tf.matMul(a, b, false, true) },
  "mean over pixels": { shapes: [[2, 4, 5, 3]], compute: (x) => tf.mean(x, [1, 2]) },
  "maximum along an axis": { shapes: [[7, 9]], compute: (x) => tf.max(x, 1) },
  "minimum along an axis": { shapes: [[7, 9]], compute: (x) => tf.min(x, 1) },
  "L2 normalisation": {
    shapes: [[6, 5]],
    compute: (x) => tf.mul(x, tf.rsqrt(tf.maximum(tf.sum(tf.square(x), 1, true), 1e-12))),
  },
  "square root and quotient": {
    shapes: [[6, 5]],
    prepare: (x) => tf.abs(x),
    compute: (x) => tf.div(x, tf.sqrt(tf.add(x, 1))),
  },
  "logarithm of summed exponentials": { shapes: [[6, 5]], compute: (x) => tf.logSumExp(x, 1) },
  "choice by a condition": {
    shapes: [[2, 3]],
    compute: (x) => tf.where(tf.tensor2d([[1, 0, 1], [0, 0, 1]], [2, 3], "bool"), x, tf.mul(x, 3)),
  },
  "clipping": { shapes: [[6, 5]], compute: (x) => tf.clipByValue(x, -0.5, 0.5) },
  "gather": {
    shapes: [[4, 3]],
    compute: (x) => tf.gather(x, tf.tensor1d([2, 0, 2, 1, 2], "int32")),
  },
  "gather along the second axis": {
    shapes: [[4, 3]],
    compute: (x) => tf.gather(x, tf.tensor1d([2, 2, 0], "int32"), 1),
  },
  "padding": { shapes: [[2, 3, 4, 2]], compute: (x) => tf.pad(x, [[0, 0], [1, 2], [1, 1], [0, 3]]) },
  "slice and concatenation": {
    shapes: [[3, 6]],
    compute: (x) => tf.concat([tf.slice(x, [0, 2], [3, 4]), tf.slice(x, [0, 0], [3, 2])], 1),
  },
  "transposition": { shapes: [[2, 3, 4]], compute: (x) => tf.mul(tf.transpose(x, [2, 0, 1]), 2) },
};

for (const [name, example] of Object.entries(cases)) {
  Deno.test(`wasm: gradient of ${name} is the cpu backend's`, () => assertAgrees(name, example));
}

for (const kind of ["maxPool", "avgPool"] as const) {
  Deno.test(`wasm: gradient of ${kind} is the cpu backend's, also where all values are below zero`, async () => {
    for (const [height, width] of [[8, 8], [9, 7]]) {
      for (const kernel of [2, 3]) {
        for (const stride of [1, 2]) {
          for (const pad of ["same", "valid"] as const) {
            for (const offset of [0, -10]) {
              await assertAgrees(`${height}x${width}, window ${kernel}, stride ${stride}, ${pad}, offset ${offset}`, {
                shapes: [[2, height, width, 3]],
                prepare: (x) => tf.add(x, offset),
                compute: (x) => tf[kind](x as tf.Tensor4D, kernel, stride, pad),
              });
            }
          }
        }
      }
    }
  });
}
