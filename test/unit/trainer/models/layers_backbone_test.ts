import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { ModelError, UsageError } from "../../../../shared/errors.ts";
import { BatchNorm } from "../../../../trainer/models/batch_norm.ts";
import { createEmbedder } from "../../../../trainer/models/embedder.ts";
import { loadLayersBackbone } from "../../../../trainer/models/layers_backbone.ts";
import { splitNetwork } from "../../../../trainer/models/split.ts";
import { assertClose } from "../engines/gradients.ts";
import { assertComputesTheSame, noise, randomizeWeights } from "../export/exported.ts";
import { withSavedModel } from "./saved_model.ts";

type Symbolic = tf.SymbolicTensor;
const { layers } = tf;

/** A feature map of 16 channels from images of 16x16: a model within the model, a branch, and a layer called as one of ours. */
function featureMap(): tf.LayersModel {
  const inner = tf.sequential({ name: "stem" });
  inner.add(layers.conv2d({ filters: 8, kernelSize: 3, strides: 2, name: "conv", inputShape: [16, 16, 3] }));
  inner.add(layers.batchNormalization({ name: "bn" }));
  const image = tf.input({ shape: [16, 16, 3], name: "input" });
  const x = layers.reLU({ name: "relu" }).apply(inner.apply(image)) as Symbolic;
  const y = layers.conv2d({ filters: 8, kernelSize: 1, name: "head" }).apply(x) as Symbolic;
  return randomizeWeights(
    tf.model({ inputs: image, outputs: layers.concatenate({ name: "both" }).apply([x, y]) as Symbolic }),
  );
}

/** An embedder on the model that was saved, for images of `size`. */
async function embedderOn(path: string, size = 16): Promise<tf.LayersModel> {
  const backbone = await loadLayersBackbone(path);
  return createEmbedder({ backbone, input: { height: size, width: size, channels: 3 }, dimensions: 4, seed: 1 });
}

Deno.test("a saved feature map becomes a backbone that averages it, can be frozen, and exports", async () => {
  const saved = featureMap();
  await withSavedModel(saved, async (path) => {
    const model = await embedderOn(path);
    const names = model.layers.map((layer) => layer.name);
    const inside = ["stem_conv", "stem_bn", "relu", "backbone_head", "both"];
    assert.deepEqual(names, ["input", ...inside, "pool", "head", "embedding"]);
    assert.ok(model.getLayer("stem_bn") instanceof BatchNorm, "normalises as slowly as tf does");
    const x = noise([2, 16, 16, 3]);
    const pooled = tf.model({ inputs: model.inputs, outputs: model.getLayer("pool").output as Symbolic });
    const expected = tf.mean(saved.predict(x) as tf.Tensor, [1, 2]);
    assertClose(await (pooled.predict(x) as tf.Tensor).data(), await expected.data(), 1e-6, "features");
    await assertComputesTheSame(model, x);
    splitNetwork(model, "relu");
    assert.deepEqual(model.trainableWeights.map((weight) => weight.originalName), [
      ...["backbone_head/kernel", "backbone_head/bias", "head/kernel", "head/bias"],
    ]);
  });
});

Deno.test("a saved model whose output is a row of features is taken as it is", async () => {
  const saved = tf.sequential();
  saved.add(layers.flatten({ inputShape: [4, 4, 3] }));
  saved.add(layers.dense({ units: 6, activation: "relu", name: "features" }));
  await withSavedModel(saved, async (path) => {
    const model = await embedderOn(path, 4);
    assert.equal(model.layers.at(-3)!.name, "features");
    const x = noise([2, 4, 4, 3]);
    const features = tf.model({ inputs: model.inputs, outputs: model.layers.at(-3)!.output as Symbolic });
    assert.deepEqual(await (features.predict(x) as tf.Tensor).data(), await (saved.predict(x) as tf.Tensor).data());
  });
});

Deno.test("a saved model takes images of its own shape alone, or of any if it leaves the size open", async () => {
  await withSavedModel(featureMap(), async (path) => {
    await assert.rejects(embedderOn(path, 20), (error) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, /takes images of 16x16x3, not of 20x20x3: set imageSize and channels/);
      return true;
    });
  });
  const open = tf.sequential({ layers: [layers.conv2d({ filters: 4, kernelSize: 3, inputShape: [null, null, 3] })] });
  await withSavedModel(open, async (path) => assert.equal((await embedderOn(path, 20)).layers.length, 5));
});

/** Models that are refused, and what is said of them. */
const REFUSED: Record<string, [make: () => tf.LayersModel, message: RegExp]> = {
  "layers that could not be exported": [
    () =>
      tf.sequential({
        layers: [
          layers.upSampling2d({ name: "up", inputShape: [4, 4, 3] }),
          layers.permute({ dims: [2, 1, 3], name: "p" }),
        ],
      }),
    /could not be exported: "up" \(UpSampling2D\), "p" \(Permute\); it may have layers of these kinds: Activation, /,
  ],
  "a setting that could not be exported": [
    () => tf.sequential({ layers: [layers.dense({ units: 2, activation: "softsign", name: "d", inputShape: [4] })] }),
    /"d" .*softsign/,
  ],
  "two outputs": [
    () => {
      const x = tf.input({ shape: [4, 4, 3] });
      return tf.model({
        inputs: x,
        outputs: [layers.flatten().apply(x) as Symbolic, layers.reLU().apply(x) as Symbolic],
      });
    },
    /one input, and one output of features or feature maps/,
  ],
};
for (const [name, [make, message]] of Object.entries(REFUSED)) {
  Deno.test(`a saved model with ${name} is refused when it is loaded`, () =>
    withSavedModel(make(), async (path) => {
      await assert.rejects(loadLayersBackbone(path), (error) => {
        assert.ok(error instanceof ModelError);
        assert.match(error.message, message);
        return true;
      });
    }));
}

Deno.test("a saved model that uses a layer in two places is refused", async () => {
  const x = tf.input({ shape: [8, 8, 3] });
  const shared = layers.conv2d({ filters: 3, kernelSize: 1, name: "twice" });
  const saved = tf.model({ inputs: x, outputs: shared.apply(shared.apply(x)) as Symbolic });
  await withSavedModel(saved, (path) => assert.rejects(embedderOn(path, 8), /layer "twice" in more than one place/));
});

Deno.test("files that are no layers model, or lack weights, are refused by name", () =>
  withSavedModel(featureMap(), async (path) => {
    const folder = path.slice(0, path.lastIndexOf("/"));
    const json = JSON.parse(await Deno.readTextFile(path));
    const refused = async (content: unknown, message: RegExp) => {
      await Deno.writeTextFile(path, typeof content === "string" ? content : JSON.stringify(content));
      await assert.rejects(
        loadLayersBackbone(path),
        (error) => error instanceof ModelError && message.test(error.message),
      );
    };
    await refused("{", /model\.json is not JSON/);
    await refused({ ...json, format: "graph-model" }, /is no tfjs layers model with weights/);
    await refused({ ...json, modelTopology: { class_name: "Model", config: { layers: [] } } }, /cannot be loaded/);
    await Deno.writeFile(`${folder}/weights.bin`, (await Deno.readFile(`${folder}/weights.bin`)).slice(4));
    await refused(json, /take \d+ bytes instead of \d+; copy it again/);
    await Deno.remove(`${folder}/weights.bin`);
    await refused(json, /Cannot read the weight file .*weights\.bin: there is no such file/);
    await assert.rejects(loadLayersBackbone(`${folder}/none.json`), /none\.json: there is no such file/);
  }));
