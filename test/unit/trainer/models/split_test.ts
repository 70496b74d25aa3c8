import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { UsageError } from "../../../../shared/errors.ts";
import { chooseEngine } from "../../../../trainer/engines/mod.ts";
import { initializersFrom } from "../../../../trainer/models/initializer.ts";
import { efficientNetLite0 } from "../../../../trainer/models/efficientnet_lite.ts";
import { lastLayerOf, splitNetwork } from "../../../../trainer/models/split.ts";
import { assertClose, normal } from "../engines/gradients.ts";

function network(): tf.LayersModel {
  const x = tf.input({ shape: [32, 32, 3] });
  return tf.model({ inputs: x, outputs: efficientNetLite0(x, initializersFrom(1)), name: "efficientnet-lite0" });
}

Deno.test("a split network computes what the whole does, and has gradients above the cut alone", async () => {
  await chooseEngine("wasm");
  const model = network();
  const { below, above } = splitNetwork(model, lastLayerOf(model, 9));
  const x = tf.tensor(normal(2 * 32 * 32 * 3, 1), [2, 32, 32, 3]);
  const activations = below.predict(x) as tf.Tensor;
  assert.deepEqual(activations.shape, [2, 2, 2, 112]);
  const whole = await (model.predict(x) as tf.Tensor).data();
  assertClose(await above(activations, false).data(), whole, 1e-6, "features");

  const names = model.trainableWeights.map((weight) => weight.originalName.split("/")[0]);
  assert.equal(names[0], "block10_expand");
  // Seven blocks of three convolutions with gamma and beta each, and the top.
  assert.equal(names.length, (7 * 3 + 1) * 3);
  const variables = model.trainableWeights.map((weight) => (weight as unknown as { val: tf.Variable }).val);
  const { grads } = tf.variableGrads(() => tf.sum(above(activations, false)), variables);
  for (const { name } of variables) {
    assert.ok((await grads[name].data()).some((value) => value !== 0), `${name} has no gradient`);
  }
});

Deno.test("a network is cut after layers that exist", () => {
  const model = network();
  assert.throws(() => splitNetwork(model, "block99"), UsageError);
  assert.throws(() => lastLayerOf(model, 17), /has no block 17/);
});

Deno.test("a network is not cut where another path leads around", () => {
  // Block 3 adds its input.
  assert.throws(
    () => splitNetwork(network(), "block03_expand"),
    /cannot be cut after block03_expand: block03_add reads/,
  );
});
