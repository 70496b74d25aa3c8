import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { chooseEngine } from "../../../../trainer/engines/mod.ts";
import { BatchNorm, batchNorm } from "../../../../trainer/models/batch_norm.ts";
import { assertClose, normal } from "../engines/gradients.ts";

const stock = (args: Parameters<typeof tf.layers.batchNormalization>[0] = {}) => tf.layers.batchNormalization(args);

/** Values by their names: outputs, gradients and moving statistics of one training call on the same input and weights. */
async function trainOnce(layer: tf.layers.Layer, shape: number[], mean = 0): Promise<Record<string, Float32Array>> {
  const channels = shape[shape.length - 1];
  layer.build([null, ...shape.slice(1)]);
  const count = shape.reduce((a, b) => a * b, 1);
  const x = tf.tensor(normal(count, 1).map((v) => 2 * v + mean), shape);
  layer.setWeights([2, 3, 4, 5].map((seed) => tf.tensor1d(normal(channels, seed).map((v) => 1 + 0.3 * v))));
  const [gamma, beta] = layer.trainableWeights.map((w) => (w as unknown as { val: tf.Variable }).val);
  const target = tf.tensor(normal(count, 6), shape);
  const loss = (x: tf.Tensor) =>
    tf.sum(tf.mul(target, tf.sin(layer.apply(x, { training: true }) as tf.Tensor))) as tf.Scalar;
  const dx = tf.grad(loss)(x);
  const { grads } = tf.variableGrads(() => loss(x), [gamma, beta]);
  const y = layer.apply(x, { training: true }) as tf.Tensor;
  const [, , movingMean, movingVariance] = layer.getWeights();
  const inference = layer.apply(x) as tf.Tensor;
  const tensors = { y, dx, dgamma: grads[gamma.name], dbeta: grads[beta.name], movingMean, movingVariance, inference };
  const read = await Promise.all(
    Object.entries(tensors).map(async ([name, tensor]) => [name, await tensor.data<"float32">()] as const),
  );
  return Object.fromEntries(read);
}

for (const engine of ["wasm", "cpu"]) {
  for (const shape of [[4, 5, 3, 6], [2, 1, 2, 1], [7, 5], [3, 4, 8]]) {
    Deno.test(`BatchNorm on ${engine} equals the stock layer on ${shape.join("x")}: outputs, gradients, statistics`, async () => {
      await chooseEngine("cpu");
      const expected = await trainOnce(stock({ epsilon: 1e-5, momentum: 0.9 }), shape);
      await chooseEngine(engine);
      const actual = await trainOnce(batchNorm({ epsilon: 1e-5, momentum: 0.9 }), shape);
      for (const [name, values] of Object.entries(expected)) assertClose(actual[name], values, 1e-4, name);
    });
  }
}

Deno.test("BatchNorm on wasm keeps its accuracy where the mean is a thousand standard deviations", async () => {
  await chooseEngine("wasm");
  const { y } = await trainOnce(batchNorm(), [64, 4], 2000);
  const { y: centred } = await trainOnce(batchNorm(), [64, 4]);
  assertClose(y, centred, 1e-3, "y");
});

Deno.test("BatchNorm without scale and offset normalises", async () => {
  await chooseEngine("wasm");
  const layer = batchNorm({ scale: false, center: false });
  const y = layer.apply(tf.tensor2d([1, 3], [2, 1]), { training: true }) as tf.Tensor;
  assertClose(await y.data(), [-1, 1].map((v) => v / Math.sqrt(1.001)), 1e-5, "y");
});

Deno.test("BatchNorm over another axis than the last is the stock layer", async () => {
  await chooseEngine("wasm");
  const x = tf.tensor(normal(24, 1), [2, 3, 4]);
  const expected = stock({ axis: 1 }).apply(x, { training: true }) as tf.Tensor;
  const actual = batchNorm({ axis: 1 }).apply(x, { training: true }) as tf.Tensor;
  assertClose(await actual.data(), await expected.data(), 1e-6, "y");
});

Deno.test("BatchNorm saves as the stock layer saves, and a saved stock layer loads as BatchNorm", async () => {
  await chooseEngine("wasm");
  const build = (layer: tf.layers.Layer) =>
    tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [2], name: "d" }), layer] });
  const saved: tf.io.ModelArtifacts[] = [];
  for (const layer of [stock({ name: "b" }), batchNorm({ name: "b" })]) {
    const model = build(layer);
    model.setWeights(
      model.weights.map((w, i) => tf.tensor(normal(w.shape.reduce((a, b) => a! * b!, 1)!, i), w.shape as number[])),
    );
    await model.save(tf.io.withSaveHandler((artifacts) => {
      saved.push(artifacts);
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } });
    }));
  }
  const configOf = ({ modelTopology }: tf.io.ModelArtifacts) =>
    (modelTopology as { config: { layers: { class_name: string; config: object }[] } }).config.layers[1];
  assert.deepEqual(configOf(saved[1]), configOf(saved[0]));
  assert.deepEqual(saved[1].weightSpecs?.map((w) => w.name), saved[0].weightSpecs?.map((w) => w.name));

  const loaded = await tf.loadLayersModel(tf.io.fromMemory(saved[0]));
  assert.ok(loaded.layers[1] instanceof BatchNorm);
  const x = tf.tensor2d(normal(8, 9), [4, 2]);
  const reference = build(stock());
  reference.setWeights(loaded.getWeights());
  const [expected, actual] = [reference, loaded].map((model) => (model.predict(x) as tf.Tensor).dataSync());
  assert.deepEqual(actual, expected);
});

Deno.test("BatchNorm in training holds no tensors back", async () => {
  await chooseEngine("wasm");
  const layer = batchNorm();
  const x = tf.tensor2d(normal(12, 1), [4, 3]);
  const train = () =>
    tf.tidy(() => void tf.grad((x) => tf.sum(tf.square(layer.apply(x, { training: true }) as tf.Tensor)))(x));
  train();
  const before = tf.memory().numTensors;
  for (let i = 0; i < 5; i++) train();
  assert.equal(tf.memory().numTensors, before);
});
