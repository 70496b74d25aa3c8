import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { chooseEngine } from "../../../../trainer/engines/mod.ts";
import { batchNorm } from "../../../../trainer/models/batch_norm.ts";
import { record, trainableVariables, variablesOf } from "../../../../trainer/optimizers/mod.ts";

await chooseEngine("wasm");

function network(): tf.LayersModel {
  return tf.sequential({
    layers: [
      tf.layers.conv2d({ inputShape: [8, 8, 2], filters: 3, kernelSize: 3, kernelInitializer: "ones" }),
      batchNorm(),
      tf.layers.activation({ activation: "sigmoid" }),
      tf.layers.globalAveragePooling2d({}),
    ],
  });
}

const images = waves([4, 8, 8, 2], 1);

function waves(shape: number[], frequency: number): tf.Tensor {
  return tf.tidy(() => tf.sin(tf.mul(frequency, tf.range(0, tf.util.sizeFromShape(shape)))).reshape(shape));
}

/**
 * Asserts that a recording gives the gradients of the sum of squares that `tf.variableGrads` gives, to the bit, and
 * holds nothing back. The variables that the output does not depend on come last.
 */
async function assertAsVariableGrads(forward: () => tf.Tensor, variables: tf.Variable[], unused = 0): Promise<void> {
  const { value, grads: expected } = tf.variableGrads(() => tf.sum(tf.square(forward())), variables);
  const held = tf.memory().numTensors;
  const recording = record(forward);
  await new Promise((resolve) => setTimeout(resolve));
  const dy = tf.mul(recording.output, 2);
  const actual = recording.gradients(dy, variables);
  const used = variables.slice(0, variables.length - unused);
  assert.deepEqual(Object.keys(actual).sort(), used.map(({ name }) => name).sort());
  for (const { name } of used) assert.deepEqual(await actual[name].data(), await expected[name].data(), name);
  tf.dispose([recording.output, dy, actual]);
  assert.equal(tf.memory().numTensors, held);
  tf.dispose([value, expected]);
}

Deno.test("record() gives, a task later, the gradients that tf.variableGrads gives at once, to the bit", async () => {
  const model = network();
  await assertAsVariableGrads(() => model.apply(images, { training: true }) as tf.Tensor2D, trainableVariables(model));
});

Deno.test("record() gives the same bits where paths part and meet", async () => {
  const [stem, left, right] = [1, 2, 3].map((frequency) => tf.variable(waves([2, 2], frequency)));
  await assertAsVariableGrads(() => {
    const x = tf.matMul(tf.reshape(images, [-1, 2]), stem as tf.Tensor2D);
    const branches = [tf.sigmoid(tf.matMul(x, left as tf.Tensor2D)), tf.tanh(tf.matMul(x, right as tf.Tensor2D))];
    return branches.reduce((sum, branch) => tf.add(sum, tf.mul(branch, x)), x);
  }, [stem, left, right]);
});

Deno.test("record() gives the same bits where an output of an operation is not used", async () => {
  const weight = tf.variable(waves([6, 4], 1));
  await assertAsVariableGrads(() => {
    const [first, , third] = tf.split(tf.sin(weight), 3);
    return tf.mul(first, third);
  }, [weight]);
});

Deno.test("record() gives no gradient by a variable that it did not use, or not for the output", async () => {
  const [used, aside, other] = [2, 3, 4].map((value) => tf.variable(tf.scalar(value)));
  await assertAsVariableGrads(
    () => {
      tf.exp(tf.mul(aside, used));
      return tf.square(used);
    },
    [used, aside, other],
    2,
  );
  const constant = record(() => tf.square(images));
  assert.deepEqual(constant.gradients(images, [used]), {});
});

Deno.test("record() takes a custom gradient that hands on what it was given", () => {
  const [left, right] = [2, 3].map((value) => tf.variable(tf.scalar(value)));
  const sum = tf.customGrad((...args) => {
    const [a, b] = args as tf.Tensor[];
    return { value: tf.add(a, b), gradFunc: (dy: tf.Tensor) => [dy, dy] };
  });
  const product = tf.customGrad((...args) => {
    const [a, b, save] = args as [tf.Tensor, tf.Tensor, tf.GradSaveFunc];
    save([a, b]);
    return { value: tf.mul(a, b), gradFunc: (_dy: tf.Tensor, [a, b]: tf.Tensor[]) => [b, a] };
  });
  const held = tf.memory().numTensors;
  const recording = record(() => sum(product(left, right), sum(left, left)));
  const dy = tf.scalar(1);
  const gradients = recording.gradients(dy, [left, right]);
  // Of a b + 2 a.
  assert.equal(gradients[left.name].dataSync()[0], 5);
  assert.equal(gradients[right.name].dataSync()[0], 2);
  tf.dispose(gradients);
  assert.equal(dy.dataSync()[0], 1);
  tf.dispose([recording.output, dy]);
  assert.equal(tf.memory().numTensors, held);
});

Deno.test("record() frees on the way back what it is through with", async () => {
  const depth = 50, weight = tf.variable(waves([1000], 1));
  const recording = record(() => {
    let y: tf.Tensor = weight;
    for (let i = 0; i < depth; i++) y = tf.sin(y);
    return y;
  });
  const { numBytes: held } = tf.memory();
  const { peakBytes, kernels } = await tf.profile(() => recording.gradients(recording.output, [weight]));
  const perLayer = 4 * weight.size;
  assert.ok(peakBytes <= held + 5 * perLayer, `${(peakBytes - held) / perLayer} more were held at the peak`);
  const halfway = kernels[kernels.length >> 1].totalBytesSnapshot;
  assert.ok(halfway <= held - (depth / 2 - 5) * perLayer, `${(held - halfway) / perLayer} were freed halfway`);
});

Deno.test("record() computes once: moving statistics follow one batch, not two", async () => {
  const recorded = network(), applied = network();
  const recording = record(() => recorded.apply(images, { training: true }) as tf.Tensor2D);
  recording.gradients(recording.output, trainableVariables(recorded));
  applied.apply(images, { training: true });
  const values = (model: tf.LayersModel) => Promise.all(variablesOf(model).map((variable) => variable.data()));
  assert.deepEqual(await values(recorded), await values(applied));
});

Deno.test("record() lets other gradients be taken in between, and holds nothing back", () => {
  const weight = tf.variable(tf.scalar(3));
  const held = tf.memory().numTensors;
  const recording = record(() => tf.exp(tf.mul(weight, 2)));
  const between = tf.grad((x) => tf.square(x))(tf.scalar(5));
  const dy = tf.scalar(1);
  const gradients = recording.gradients(dy, [weight]);
  assert.equal(between.dataSync()[0], 10);
  assert.ok(Math.abs(gradients[weight.name].dataSync()[0] / (2 * Math.exp(6)) - 1) < 1e-5);
  tf.dispose([recording.output, between, dy, gradients]);
  // The argument of the gradient in between.
  assert.equal(tf.memory().numTensors, held + 1);
});
