import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { ModelError, UsageError } from "../../../../shared/errors.ts";
import { chooseEngine } from "../../../../trainer/engines/mod.ts";
import { batchNorm } from "../../../../trainer/models/batch_norm.ts";
import { importWeights, loadPretrained, type StoredTensor, TORCH } from "../../../../trainer/models/weights/mod.ts";
import { assertClose } from "../engines/gradients.ts";
import { noise } from "../export/exported.ts";
import { deepCheckpoint } from "./formula.ts";
import { withSavedModel } from "./saved_model.ts";

type Symbolic = tf.SymbolicTensor;
const { layers } = tf;

const FIXTURES = new URL("../../../fixtures/models/", import.meta.url).pathname;
const LITE0 = new URL("../../../../samples/backbones/efficientnet-lite0.safetensors", import.meta.url).pathname;

/** The first convolution of one of our ResNets, but small. */
function stem(channels = 3): tf.LayersModel {
  const x = tf.input({ shape: [8, 8, channels] });
  const y = layers.conv2d({ filters: 2, kernelSize: 3, useBias: false, name: "stem" }).apply(x);
  return tf.model({ inputs: x, outputs: batchNorm({ epsilon: 1e-5, name: "stem_bn" }).apply(y) as Symbolic });
}

/** The same as Keras has it: blue first, with a bias and another epsilon; and so little variance that epsilon counts. */
function kerasStem(): tf.LayersModel {
  const x = tf.input({ shape: [8, 8, 3] });
  const y = layers.conv2d({ filters: 2, kernelSize: 3, name: "conv1_conv" }).apply(x);
  const z = layers.batchNormalization({ epsilon: 1.001e-5, name: "conv1_bn" }).apply(y) as Symbolic;
  const model = tf.model({ inputs: x, outputs: z });
  model.getLayer("conv1_conv").setWeights([noise([3, 3, 3, 2], 1), noise([2], 2)]);
  model.getLayer("conv1_bn").setWeights([noise([2], 3), noise([2], 4), noise([2], 5), tf.tensor1d([1e-6, 1e-7])]);
  return model;
}

const withoutCache = (location: string) => ({ location, cache: "" });
const weightsOf = (model: tf.LayersModel) => Promise.all(model.getWeights().map((weight) => weight.data<"float32">()));

Deno.test("a stem with the weights of a tfjs layers model of Keras's ResNet50 computes on RGB what that does on BGR", async () => {
  await chooseEngine("wasm");
  const keras = kerasStem(), ours = stem();
  await withSavedModel(keras, async (path) => {
    const report = await loadPretrained(ours, "resnet50", withoutCache(path));
    assert.equal(report.matched.length, 5);
    assert.deepEqual(report.unexpected, []);
  });
  const bgr = noise([2, 8, 8, 3]);
  const expected = await (keras.predict(bgr) as tf.Tensor).data();
  assertClose(await (ours.predict(tf.reverse(bgr, -1)) as tf.Tensor).data(), expected, 1e-5, "features");
});

Deno.test("a stem with the weights of Keras's HDF5 has them all, blue last", async () => {
  await chooseEngine("wasm");
  const model = stem();
  await loadPretrained(model, "resnet50", withoutCache(`${FIXTURES}tiny_keras1.h5`));
  const keras = deepCheckpoint([["kernel", 0, [3, 3, 3, 2]], ["bias", 1, [2]], ["moving_mean", 4, [2]]], [0, 1, 2]);
  const [kernel, , , mean] = await weightsOf(model);
  const bgr = keras.get("kernel")!.read();
  assert.deepEqual([...kernel.slice(0, 6)], [bgr[4], bgr[5], bgr[2], bgr[3], bgr[0], bgr[1]]);
  const bias = keras.get("bias")!.read();
  assert.deepEqual(mean, keras.get("moving_mean")!.read().map((value, i) => value - bias[i]));
});

for (const [framework, fill] of Object.entries({ Keras: fillFromKeras, PyTorch: fillFromTorch })) {
  Deno.test(`a stem for grey images with ${framework}'s weights computes what one for RGB makes of grey`, async () => {
    await chooseEngine("wasm");
    const rgb = stem(), grey = stem(1);
    await fill(rgb);
    await fill(grey);
    const x = noise([2, 8, 8, 1]);
    const expected = await (rgb.predict(tf.tile(x, [1, 1, 1, 3])) as tf.Tensor).data();
    assertClose(await (grey.predict(x) as tf.Tensor).data(), expected, 1e-5, "features");
  });
}

async function fillFromKeras(model: tf.LayersModel): Promise<void> {
  await withSavedModel(kerasStem(), (path) => loadPretrained(model, "resnet50", withoutCache(path)).then(() => {}));
}

function fillFromTorch(model: tf.LayersModel): Promise<void> {
  const tensors: Map<string, StoredTensor> = deepCheckpoint([
    ["conv1.weight", 1, [2, 3, 3, 3]],
    ["bn1.weight", 2, [2]],
    ["bn1.bias", 3, [2]],
    ["bn1.running_mean", 4, [2]],
    ["bn1.running_var", 5, [2]],
  ], [1, 2, 3]);
  importWeights(model, "resnet50-v1.5", tensors, TORCH, "stem");
  return Promise.resolve();
}

Deno.test("weights of another network are refused by name and shape, and the network stays as it was", async () => {
  await chooseEngine("wasm");
  const x = tf.input({ shape: [8, 8, 3] });
  const y = layers.conv2d({ filters: 64, kernelSize: 7, useBias: false, name: "stem" }).apply(x);
  const z = layers.conv2d({ filters: 64, kernelSize: 1, useBias: false, name: "stage1_block1_conv1" }).apply(
    y,
  ) as Symbolic;
  const model = tf.model({ inputs: x, outputs: z });
  const before = await weightsOf(model);
  await assert.rejects(loadPretrained(model, "resnet50", withoutCache(`${FIXTURES}tiny_model.h5`)), (error) => {
    assert.ok(error instanceof ModelError);
    assert.match(error.message, /tiny_model\.h5 does not fit the backbone resnet50: /);
    assert.match(
      error.message,
      /conv2_block1_1_conv\/kernel is missing, conv1_conv\/kernel is \[3,3,3,2\] instead of \[7,7,3,64\]/,
    );
    assert.match(error.message, /; give weights of this architecture under Keras's names\.$/);
    return true;
  });
  assert.deepEqual(await weightsOf(model), before);
});

Deno.test("the weights of a framework whose network strides elsewhere are refused before they are misread", async () => {
  const cases: [string, string, RegExp][] = [
    ["resnet50", LITE0, /for efficientnet-lite0, .*resnet101-v1\.5: for the backbone resnet50 give Keras's\.$/],
    [
      "resnet50-v1.5",
      `${FIXTURES}tiny_model.h5`,
      /resnet50, resnet101: for the backbone resnet50-v1\.5 give torchvision's or timm's/,
    ],
    ["mobilenet-v2", `${FIXTURES}tiny_model.h5`, /for the backbone mobilenet-v2 give torchvision's or timm's/],
  ];
  for (const [backbone, file, message] of cases) {
    await assert.rejects(
      loadPretrained(stem(), backbone, withoutCache(file)),
      (error) => error instanceof UsageError && message.test(error.message),
    );
  }
});

Deno.test("a tfjs layers model is read from a path alone, and held to the hash of its model.json", async () => {
  await assert.rejects(
    loadPretrained(stem(), "resnet50", withoutCache("https://example.org/model.json")),
    /download https:\/\/example\.org\/model\.json with its shards, give its path/,
  );
  await withSavedModel(kerasStem(), (path) =>
    assert.rejects(
      loadPretrained(stem(), "resnet50", { location: path, sha256: "0".repeat(64), cache: "" }),
      /model\.json has the hash sha256:.* instead of sha256:0{64}/,
    ));
});
