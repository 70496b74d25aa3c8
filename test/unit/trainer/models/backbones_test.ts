import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { type BackboneName, BACKBONES } from "../../../../trainer/models/backbones.ts";
import { chooseEngine } from "../../../../trainer/engines/mod.ts";
import { assertAgrees } from "../engines/gradients.ts";
import { ZEROS } from "./formula.ts";

await chooseEngine("wasm");

function build(name: BackboneName, height: number, width = height): tf.LayersModel {
  const x = tf.input({ shape: [height, width, 3] });
  return tf.model({ inputs: x, outputs: BACKBONES[name](x, ZEROS), name });
}

/** How many weights are trained, statistics of the normalisations left out. */
function parametersOf(model: tf.LayersModel): number {
  const sizes = model.trainableWeights.map(({ shape }) => shape.reduce<number>((product, size) => product * size!, 1));
  return sizes.reduce((sum, size) => sum + size, 0);
}

// torchvision's, less the classifier's; of MobileFaceNet see below.
const PARAMETERS: Partial<Record<BackboneName, [parameters: number, features: number]>> = {
  "resnet18": [11_689_512 - 513_000, 512],
  "resnet34": [21_797_672 - 513_000, 512],
  "resnet50": [25_557_032 - 2_049_000, 2048],
  "resnet101": [44_549_160 - 2_049_000, 2048],
  "resnet50-v1.5": [25_557_032 - 2_049_000, 2048],
  "resnet101-v1.5": [44_549_160 - 2_049_000, 2048],
  "mobilenet-v2": [3_504_872 - 1_281_000, 1280],
};
for (const [name, [parameters, features]] of Object.entries(PARAMETERS)) {
  Deno.test(`${name} has as many parameters and features as torchvision's`, () => {
    const model = build(name as BackboneName, 32);
    assert.equal(parametersOf(model), parameters);
    assert.deepEqual(model.outputs[0].shape, [null, features]);
    model.dispose();
  });
}

Deno.test("every layer of a backbone with weights belongs to a block, a stage or the ends, so that it can be frozen", () => {
  for (const name of Object.keys(BACKBONES) as BackboneName[]) {
    const model = build(name, 48);
    const weighty = model.layers.filter((layer) => layer.weights.length > 0).map((layer) => layer.name);
    const others = weighty.filter((name) => !/^(block\d\d_|stage\d+_|stem|top|global)/.test(name));
    assert.deepEqual(others, [], name);
    model.dispose();
  }
});

Deno.test("version 1.5 of a bottleneck strides in its 3x3 convolution, version 1 before", () => {
  const stridesOf = (name: BackboneName) => {
    const model = build(name, 32);
    return [1, 2, 3].map((i) => (model.getLayer(`stage3_block1_conv${i}`).getConfig().strides as number[])[0]);
  };
  assert.deepEqual(stridesOf("resnet50"), [2, 1, 1]);
  assert.deepEqual(stridesOf("resnet50-v1.5"), [1, 2, 1]);
});

Deno.test("MobileFaceNet has the shapes and size of the paper's table 1", () => {
  const model = build("mobilefacenet", 112);
  const shapeOf = (layer: string) => (model.getLayer(layer).output as tf.SymbolicTensor).shape.slice(1).join("x");
  const shapes = ["stem", "stem_depthwise", "block05_add", "block06_project", "block12_add", "block13_project", "top"];
  assert.deepEqual(shapes.map(shapeOf), [
    ...["56x56x64", "56x56x64", "28x28x64", "14x14x128", "14x14x128", "7x7x128", "7x7x512"],
  ]);
  assert.equal(shapeOf("global"), "1x1x512");
  assert.deepEqual(model.outputs[0].shape, [null, 512]);
  // The paper counts 0.99 million with the last convolution, here the embedder's dense layer.
  assert.equal(((parametersOf(model) + 512 * 128) / 1e6).toFixed(1), "1.0");
});

Deno.test("MobileFaceNet takes images that are not square, and weighs every place of the feature map", () => {
  const model = build("mobilefacenet", 64, 48);
  assert.deepEqual(model.getLayer("global").weights[0].shape, [4, 3, 512, 1]);
});

Deno.test("wasm: gradients of a PReLU with a slope a channel are the cpu backend's", () =>
  assertAgrees("PReLU", {
    shapes: [[2, 5, 4, 6], [1, 1, 6]],
    compute: (x, alpha) => tf.prelu(x, alpha),
  }));

Deno.test("wasm: gradients of a depthwise convolution as large as the feature map are the cpu backend's", async () => {
  for (const [height, width] of [[7, 7], [4, 3], [1, 1]]) {
    await assertAgrees(`${height}x${width}`, {
      shapes: [[3, height, width, 8], [height, width, 8, 1]],
      compute: (x, w) => tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, "valid"),
    });
  }
});
