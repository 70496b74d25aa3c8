import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import type { BackboneName } from "../../../../trainer/models/backbones.ts";
import { createEmbedder } from "../../../../trainer/models/embedder.ts";
import { layerRates } from "../../../../trainer/models/layer_rates.ts";
import { lastFrozenLayer, splitNetwork } from "../../../../trainer/models/split.ts";

function network(backbone: BackboneName): tf.LayersModel {
  return createEmbedder({ backbone, input: { height: 32, width: 32, channels: 3 }, dimensions: 8, seed: 1 });
}

/** Rates by layer, in the order of the trainable weights. */
function ratesByLayer(model: tf.LayersModel, decay: number): [layer: string, rate: number][] {
  const rates = layerRates(model, decay);
  assert.equal(rates.length, model.trainableWeights.length);
  return model.trainableWeights.map(({ originalName }, i) => [originalName.split("/")[0], rates[i]]);
}

Deno.test("layerRates() gives the embedding's layer 1, and every block below a share of the one above it", () => {
  for (const backbone of ["thin-resnet", "mobilenet-v2"] as const) {
    const rates = ratesByLayer(network(backbone), 0.5);
    assert.deepEqual(rates.slice(-2), [["head", 1], ["head", 1]]);
    const distinct = [...new Set(rates.map(([, rate]) => rate))];
    assert.deepEqual(distinct, distinct.map((_, i) => 0.5 ** (distinct.length - 1 - i)), "a step of a half each");
    assert.equal(distinct[0], rates[0][1], "the lowest is the stem's");
  }
});

Deno.test("layerRates() gives all layers of a block one rate: a convolution its BatchNorm's, stages by block", () => {
  const mobile = new Map(ratesByLayer(network("mobilenet-v2"), 0.5));
  assert.equal(mobile.get("block09_expand"), mobile.get("block09_project_bn"));
  assert.equal(mobile.get("block09_expand"), mobile.get("block10_expand")! / 2);
  assert.equal(mobile.get("stem"), mobile.get("stem_bn"));
  const residual = new Map(ratesByLayer(network("resnet18"), 0.5));
  assert.equal(residual.get("stage2_block1_conv1"), residual.get("stage2_block1_conv2_bn"));
  assert.equal(residual.get("stage2_block1_conv1"), residual.get("stage2_block2_conv1")! / 2);
  assert.equal(residual.get("stage1_block2_conv1"), residual.get("stage2_block1_conv1")! / 2);
});

Deno.test("layerRates() knows only what trains, and 1 gives all the same rate", () => {
  const model = network("mobilenet-v2");
  const block10 = new Map(ratesByLayer(model, 0.5)).get("block10_expand");
  splitNetwork(model, lastFrozenLayer(model, "block09"));
  const rates = ratesByLayer(model, 0.5);
  assert.deepEqual(rates[0], ["block10_expand", block10]);
  assert.deepEqual(new Set(layerRates(model, 1)), new Set([1]));
});
