import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { loadGraphNetwork } from "../../../../shared/graph_network.ts";
import { planOf, readLayers, runReference } from "../../../../shared/int8/mod.ts";
import type { GraphFiles } from "../../../../shared/model_files.ts";
import { filesOf, noise, randomizeWeights } from "../../trainer/export/exported.ts";
import { backbone, kerasBottleneckNet, mobileNet } from "../../trainer/export/networks.ts";

async function assertReadsAsTfjs(files: GraphFiles, size: number): Promise<void> {
  const plan = planOf(readLayers(files), new Map());
  const image = noise([1, size, size, 3]);
  const expected = (await loadGraphNetwork(files)).predict(image) as tf.Tensor;
  const values = runReference(plan, await image.data<"float32">());
  const actual = values.get(plan.steps.at(-1)!.layer.name)!;
  (await expected.data()).forEach((value, i) =>
    assert.ok(Math.abs(value - actual[i]) < 1e-5, `${value}, ${actual[i]}`)
  );
}

const NETWORKS: [name: string, model: () => tf.LayersModel, size: number][] = [
  ["a thin ResNet", () => backbone("thin-resnet", 20), 20],
  ["a MobileNetV2 of odd size", () => mobileNet(19), 19],
  ["a MobileFaceNet, with slopes and a global depthwise convolution,", () => backbone("mobilefacenet", 32), 32],
  ["a ResNet-50 as Keras has it, with padding before pooling,", () => kerasBottleneckNet(24), 24],
];
for (const [name, model, size] of NETWORKS) {
  Deno.test(`${name} is read as layers that compute what tfjs computes`, async () =>
    await assertReadsAsTfjs(await filesOf(model()), size));
}

Deno.test("weights in half precision and in 8 bits are read as tfjs reads them", async () => {
  const model = mobileNet(17);
  await assertReadsAsTfjs(await filesOf(model, () => "float16"), 17);
  await assertReadsAsTfjs(await filesOf(model, () => "uint8"), 17);
});

Deno.test("a convolution takes in the addition behind it, and what follows", async () => {
  const { layers } = readLayers(await filesOf(backbone("thin-resnet", 20)));
  assert.deepEqual(layers.map(({ op, name }) => `${op} ${name}`), [
    "convolve stem_relu",
    "convolve stage1_conv1_relu",
    "convolve stage1_out",
    "convolve stage2_shortcut_bn",
    "convolve stage2_conv1_relu",
    "convolve stage2_out",
    "convolve stage3_shortcut_bn",
    "convolve stage3_conv1_relu",
    "convolve stage3_out",
    "mean pool",
    "dense head",
    "normalize embedding",
  ]);
  const joined = layers.filter((layer) => layer.op === "convolve" && layer.addend !== null);
  assert.equal(joined.length, 3);
});

Deno.test("a network with an operation that int8 does not know is refused by name", async () => {
  const image = tf.input({ shape: [8, 8, 3] });
  const x = tf.layers.conv2d({ filters: 4, kernelSize: 3, activation: "sigmoid", name: "gate" }).apply(image);
  const model = randomizeWeights(
    tf.model({ inputs: image, outputs: tf.layers.flatten().apply(x) as tf.SymbolicTensor }),
  );
  const files = await filesOf(model);
  assert.throws(() => readLayers(files), /cannot be computed in int8: .*Sigmoid.*--quantize uint8/);
});
