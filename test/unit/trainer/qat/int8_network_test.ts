import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { normalize } from "../../../../shared/image/mod.ts";
import { gridsOf, planOf, readLayers } from "../../../../shared/int8/mod.ts";
import { graphOf } from "../../../../trainer/export/fused.ts";
import { int8GraphOf, measuredGrids } from "../../../../trainer/export/int8/int8_graph.ts";
import { simulate } from "../../../../trainer/export/int8/simulate.ts";
import { chooseEngine } from "../../../../trainer/engines/mod.ts";
import { createOptimizer, trainableVariables } from "../../../../trainer/optimizers/mod.ts";
import { int8Network } from "../../../../trainer/qat/int8_network.ts";
import { inputOf, pictures } from "../export/int8/int8.ts";
import { noise } from "../export/exported.ts";
import { backbone, kerasBottleneckNet, mobileNet } from "../export/networks.ts";

await chooseEngine("wasm");

const NETWORKS: [name: string, model: () => tf.LayersModel, size: number][] = [
  ["a thin ResNet", () => backbone("thin-resnet", 20), 20],
  ["a MobileNetV2", () => mobileNet(19), 19],
  ["a MobileFaceNet", () => backbone("mobilefacenet", 32), 32],
  ["a ResNet-50 as Keras has it", () => kerasBottleneckNet(24), 24],
];
for (const [name, make, size] of NETWORKS) {
  Deno.test(`training sees of ${name} what its export computes, with the same grids`, async () => {
    const model = make(), images = pictures(8, size), input = inputOf(size);
    const graph = await graphOf(model);
    const grids = await measuredGrids(graph, images, input);
    const network = await int8Network(model, grids);
    const { files, activations } = await int8GraphOf(graph, images, input, grids);
    assert.deepEqual(activations, grids);
    const batch = noise([5, size, size, 3]);
    const cosines = rowCosines(network(batch).embeddings, inInt8(files, grids, batch));
    // A sum in another order may tip a code over, which random weights make much of: in one image, not in most.
    assert.ok(cosines[2] > 0.99999 && cosines[0] > 0.95, `${cosines}`);
  });
}

const STEPS = 40;
Deno.test("training in int8 brings embeddings nearer to those of float32 than correcting biases does, of other images too", async () => {
  const size = 17, images = pictures(192, size), input = inputOf(size);
  const model = mobileNet(size), graph = await graphOf(model);
  const all = tf.stack(images.map((pixels) => tf.tensor(normalize(pixels, input), [size, size, 3])));
  const [batch, unseen] = tf.split(all, [160, 32]);
  const wanted = model.predict(batch) as tf.Tensor, wantedUnseen = model.predict(unseen) as tf.Tensor;
  const { files, activations } = await int8GraphOf(graph, images.slice(0, 160), input);
  const before = errorShare(inInt8(files, activations, unseen), wantedUnseen);

  const network = await int8Network(model, activations);
  const settings = { optimizer: "adam", weightDecay: 0, momentum: 0 } as const;
  const optimizer = createOptimizer(trainableVariables(model), settings);
  for (let step = 0; step < STEPS; step++) {
    optimizer.setLearningRate(1e-4 * (1 - step / STEPS));
    const { loss, gradientNorm } = optimizer.minimize(() =>
      tf.sum(tf.squaredDifference(network(batch).embeddings, wanted)) as tf.Scalar
    );
    tf.dispose([loss, gradientNorm]);
  }
  const trained = await int8GraphOf(await graphOf(model), images, input, activations);
  const after = errorShare(inInt8(trained.files, activations, unseen), wantedUnseen);
  assert.ok(before > 0.02, `${before}: int8 costs too little here for the test to say anything`);
  assert.ok(after < 0.97 * before, `${before}, then ${after}`);
});

type Files = Awaited<ReturnType<typeof int8GraphOf>>["files"];
type Grids = Awaited<ReturnType<typeof int8GraphOf>>["activations"];

function inInt8(files: Files, grids: Grids, batch: tf.Tensor): tf.Tensor {
  const simulation = simulate(planOf(readLayers(files), gridsOf(grids)));
  const embeddings = simulation.predict(batch);
  simulation.dispose();
  return embeddings;
}

/** Of rows of unit length, ascending. */
function rowCosines(a: tf.Tensor, b: tf.Tensor): number[] {
  return [...tf.sum(tf.mul(a, b), 1).dataSync<"float32">()].sort((one, other) => one - other);
}

/** How far embeddings are off, as a share of how far those of different images are from their mean. */
function errorShare(actual: tf.Tensor, wanted: tf.Tensor): number {
  const squares = (a: tf.Tensor, b: tf.Tensor) => tf.sum(tf.squaredDifference(a, b)).dataSync()[0];
  return squares(actual, wanted) / squares(wanted, tf.mean(wanted, 0, true));
}
