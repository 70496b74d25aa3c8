import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { UsageError } from "../../../../shared/errors.ts";
import { chooseEngine } from "../../../../trainer/engines/mod.ts";
import { createEmbedder } from "../../../../trainer/models/embedder.ts";
import { initializersFrom } from "../../../../trainer/models/initializer.ts";
import { efficientNetLite0 } from "../../../../trainer/models/efficientnet_lite.ts";
import { lastFrozenLayer, splitNetwork, wholeNetwork } from "../../../../trainer/models/split.ts";
import { assertClose, normal } from "../engines/gradients.ts";

function network(): tf.LayersModel {
  const x = tf.input({ shape: [32, 32, 3] });
  return tf.model({ inputs: x, outputs: efficientNetLite0(x, initializersFrom(1)), name: "efficientnet-lite0" });
}

Deno.test("a split network computes what the whole does, and has gradients above the cut alone", async () => {
  await chooseEngine("wasm");
  const model = network();
  const { below, above } = splitNetwork(model, lastFrozenLayer(model, "block09"));
  const x = tf.tensor(normal(2 * 32 * 32 * 3, 1), [2, 32, 32, 3]);
  const activations = below.predict(x) as tf.Tensor;
  assert.deepEqual(activations.shape, [2, 2, 2, 112]);
  const whole = await (model.predict(x) as tf.Tensor).data();
  assertClose(await above(activations, false).embeddings.data(), whole, 1e-6, "features");

  const names = model.trainableWeights.map((weight) => weight.originalName.split("/")[0]);
  assert.equal(names[0], "block10_expand");
  // Seven blocks of three convolutions with gamma and beta each, and the top.
  assert.equal(names.length, (7 * 3 + 1) * 3);
  const variables = model.trainableWeights.map((weight) => (weight as unknown as { val: tf.Variable }).val);
  const { grads } = tf.variableGrads(() => tf.sum(above(activations, false).embeddings), variables);
  for (const { name } of variables) {
    assert.ok((await grads[name].data()).some((value) => value !== 0), `${name} has no gradient`);
  }
});

Deno.test("a network is cut after layers that exist", () => {
  const model = network();
  assert.throws(() => splitNetwork(model, "block99"), UsageError);
  assert.throws(() => lastFrozenLayer(model, "block17"), /has no block17.*block16.*backbone/);
});

Deno.test("a network is not cut where another path leads around", () => {
  // Block 3 adds its input.
  assert.throws(
    () => splitNetwork(network(), "block03_expand"),
    /cannot be cut after block03_expand: block03_add reads/,
  );
});

Deno.test("a whole network gives its embeddings and what is scaled to them", async () => {
  await chooseEngine("wasm");
  const model = createEmbedder({
    backbone: "thin-resnet",
    input: { height: 16, width: 16, channels: 3 },
    dimensions: 8,
    seed: 1,
  });
  splitNetwork(model, lastFrozenLayer(model, "backbone"));
  assert.equal(model.trainableWeights.length, 2, "the embedding's kernel and bias");
  const forward = wholeNetwork(model);
  assert.ok(model.trainableWeights.length > 2);
  const x = tf.tensor(normal(2 * 16 * 16 * 3, 2), [2, 16, 16, 3]);
  const { raw, embeddings } = forward(x, false);
  const expected = await (model.predict(x) as tf.Tensor).data();
  assertClose(await embeddings.data(), expected, 1e-6, "embeddings");
  const values = await raw.data();
  const length = Math.hypot(...values.slice(0, 8));
  assertClose(Array.from(values.slice(0, 8), (value) => value / length), expected.slice(0, 8), 1e-5, "direction");
});

Deno.test("a network holds no layer's output longer than others read it", async () => {
  await chooseEngine("wasm");
  const model = network(), forward = wholeNetwork(model), batch = 4;
  const shapes = model.layers.map(({ output }) => (output as tf.SymbolicTensor).shape.slice(1) as number[]);
  const x = tf.zeros([batch, 32, 32, 3]);
  const { numBytes: held, numTensors } = tf.memory();
  const { peakBytes, result } = await tf.profile(() => ({ ...forward(x, false) }));
  // An input and an output, and what a block adds to itself.
  const most = 3 * 4 * batch * Math.max(...shapes.map(tf.util.sizeFromShape));
  assert.ok(peakBytes <= held + most, `${peakBytes - held} bytes were held at the peak`);
  tf.dispose(result);
  assert.equal(tf.memory().numTensors, numTensors);
});
