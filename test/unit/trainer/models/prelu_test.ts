import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { chooseEngine } from "../../../../trainer/engines/mod.ts";
import { prelu } from "../../../../trainer/models/prelu.ts";
import { assertClose, normal } from "../engines/gradients.ts";

const SHAPE = [3, 7, 6, 5];
const ARGS = { name: "a", sharedAxes: [1, 2], alphaInitializer: tf.initializers.constant({ value: 0.25 }) };

/** The output of a layer, and the gradients of its sum of squares by input and slopes. */
async function outputAndGradients(layer: tf.layers.Layer, shape: number[]): Promise<Float32Array[]> {
  const x = tf.tensor(normal(tf.util.sizeFromShape(shape), 1), shape);
  const y = layer.apply(x) as tf.Tensor;
  const alpha = (layer.weights[0] as unknown as { val: tf.Variable }).val;
  const loss = () => tf.sum(tf.square(layer.apply(x) as tf.Tensor)) as tf.Scalar;
  const byAlpha = tf.variableGrads(loss, [alpha]).grads[alpha.name];
  const byInput = tf.grad((x) => tf.sum(tf.square(layer.apply(x) as tf.Tensor)))(x);
  return await Promise.all([y, byInput, byAlpha].map((tensor) => tensor.data<"float32">()));
}

for (const engine of ["wasm", "cpu"]) {
  for (const [args, shared] of [[ARGS, "each channel"], [{ ...ARGS, sharedAxes: [] }, "each value"]] as const) {
    Deno.test(`prelu() on ${engine} with a slope for ${shared} has tf's values and gradients`, async () => {
      await chooseEngine(engine);
      const ours = await outputAndGradients(prelu({ ...args, sharedAxes: [...args.sharedAxes] }), SHAPE);
      const stock = await outputAndGradients(tf.layers.prelu({ ...args, sharedAxes: [...args.sharedAxes] }), SHAPE);
      ours.forEach((values, i) => assertClose(values, stock[i], 1e-6, `part ${i}`));
    });
  }
}

Deno.test("prelu() saves as tf's PReLU", () => {
  assert.equal(prelu(ARGS).getClassName(), "PReLU");
  assert.deepEqual(prelu(ARGS).getConfig(), tf.layers.prelu(ARGS).getConfig());
});
