import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { type Layers, type Plan, planOf, readLayers } from "../../../../../shared/int8/mod.ts";
import { correctedBiases } from "../../../../../trainer/export/int8/bias_correction.ts";
import { simulate } from "../../../../../trainer/export/int8/simulate.ts";
import { filesOf, noise } from "../exported.ts";
import { mobileNet } from "../networks.ts";

const SIZE = 17;
const exact = readLayers(await filesOf(mobileNet(SIZE)));
/** The same network with coarse weights: every one is rounded to a multiple of 1/8, and one in five is lost. */
const coarse: Layers = {
  ...exact,
  layers: exact.layers.map((layer) =>
    layer.op !== "convolve" ? layer : {
      ...layer,
      kernel: {
        ...layer.kernel,
        values: Float32Array.from(layer.kernel.values, (value, i) => i % 5 === 0 ? 0 : Math.round(value * 8) / 8),
      },
    }
  ),
};
const batch = noise([4, SIZE, SIZE, 3]);

/** How far the means of the channels of the last feature map lie apart, together. */
async function meanError(plan: Plan): Promise<number> {
  const means = await Promise.all([planOf(exact, new Map()), plan].map(async (one) => {
    let last: Float32Array | undefined;
    simulate(one).predict(batch, ({ layer }, value) => {
      if (layer.op === "mean") last = tf.mean(value, 0).dataSync<"float32">();
    });
    return await Promise.resolve(last!);
  }));
  return Math.hypot(...means[0].map((value, i) => value - means[1][i]));
}

Deno.test("corrected biases give the channels the means that they have in float32", async () => {
  const before = planOf(coarse, new Map());
  const biases = await correctedBiases(planOf(exact, new Map()), before, batch);
  const layers = coarse.layers.map((layer) =>
    layer.op === "convolve" ? { ...layer, bias: biases.get(layer.biasName!)! } : layer
  );
  const error = await meanError(before), left = await meanError(planOf({ ...coarse, layers }, new Map()));
  assert.ok(error > 0.1, `the means are nearly right before: ${error}`);
  assert.ok(left < 1e-3 * error, `${left} of ${error} is left`);
});

Deno.test("biases of a network that is exact already stay what they are", async () => {
  const plan = planOf(exact, new Map());
  const biases = await correctedBiases(plan, plan, batch);
  for (const layer of exact.layers) {
    if (layer.op === "convolve") assert.deepEqual(biases.get(layer.biasName!), layer.bias);
  }
});
