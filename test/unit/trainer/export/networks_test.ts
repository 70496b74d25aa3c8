import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { ModelError } from "../../../../shared/errors.ts";
import { traceModel } from "../../../../trainer/export/trace.ts";
import { faceLandmarks } from "../../../../trainer/models/faces/face_landmarks.ts";
import { tinyFaceDetector } from "../../../../trainer/models/faces/tiny_face_detector.ts";
import { assertComputesTheSame, filesOf, graphDefOf, noise, operationsOf, randomizeWeights } from "./exported.ts";
import { backbone, bottlenecks, kerasBottleneckNet, mobileNet } from "./networks.ts";

type Symbolic = tf.SymbolicTensor;
const { layers } = tf;

const NETWORKS: Record<string, [make: () => tf.LayersModel, shape: number[]]> = {
  "a thin ResNet": [() => backbone("thin-resnet", 40), [2, 40, 40, 3]],
  "a thin ResNet on grey images": [() => backbone("thin-resnet", 28, 1), [2, 28, 28, 1]],
  "ResNet-18": [() => backbone("resnet18", 48), [2, 48, 48, 3]],
  "bottlenecks as in ResNet-50": [() => bottlenecks("v1"), [2, 17, 17, 3]],
  "bottlenecks as in ResNet-50 v1.5": [() => bottlenecks("v1.5"), [2, 17, 17, 3]],
  "MobileNetV2": [() => backbone("mobilenet-v2", 40), [2, 40, 40, 3]],
  "EfficientNet-Lite0": [() => backbone("efficientnet-lite0", 40), [2, 40, 40, 3]],
  "the ResNet of dlib": [() => backbone("face-resnet", 150), [2, 150, 150, 3]],
  "MobileFaceNet": [() => backbone("mobilefacenet", 56), [2, 56, 56, 3]],
  "a small MobileNetV2": [() => mobileNet(48), [2, 48, 48, 3]],
  "a bottleneck network with zero padding": [() => kerasBottleneckNet(48), [2, 48, 48, 3]],
};

for (const [name, [make, shape]] of Object.entries(NETWORKS)) {
  Deno.test(`the graph of ${name} computes what the layers compute, with all normalisations folded`, async () => {
    const model = make();
    await assertComputesTheSame(model, noise(shape));
    const operations = new Set(await operationsOf(model));
    for (const gone of ["Identity", "FusedBatchNormV3", "Conv2D", "DepthwiseConv2dNative", "MatMul"]) {
      assert.ok(!operations.has(gone), `the graph still has ${gone}`);
    }
  });
}

Deno.test("the networks that find faces need these operations", async () => {
  const detector = randomizeWeights(tinyFaceDetector()), landmarks = randomizeWeights(faceLandmarks());
  const needed = async (model: tf.LayersModel) => [...new Set(await operationsOf(model))].sort();
  assert.deepEqual(await needed(detector), ["DepthwiseConv2dNative", "MaxPool", "_FusedConv2D"]);
  assert.deepEqual(
    await needed(landmarks),
    ["AddV2", "DepthwiseConv2dNative", "Mean", "Relu", "_FusedConv2D", "_FusedMatMul"],
  );
  await assertComputesTheSame(detector, noise([2, 128, 128, 3]));
  await assertComputesTheSame(landmarks, noise([2, 112, 112, 3]));
});

Deno.test("a MobileNetV2 needs no operation but its fused convolutions, additions, pooling and head", async () => {
  assert.deepEqual([...new Set(await operationsOf(mobileNet(32)))].sort(), [
    "AddV2",
    "FusedDepthwiseConv2dNative",
    "Maximum",
    "Mean",
    "Mul",
    "Rsqrt",
    "Square",
    "Sum",
    "_FusedConv2D",
    "_FusedMatMul",
  ]);
});

Deno.test("input and output have the names of the interface, whatever the layers are called", async () => {
  const image = tf.input({ shape: [8], name: "embedding" });
  const hidden = layers.dense({ units: 4, name: "input" }).apply(image);
  const model = tf.model({
    inputs: image,
    outputs: layers.dense({ units: 3, name: "out" }).apply(hidden) as Symbolic,
  });
  const { topology, signature } = await graphDefOf(randomizeWeights(model));
  const computing = topology.node.filter((node) => node.op !== "Const");
  assert.deepEqual(computing.map((node) => node.name), ["input", "input_1", "embedding"]);
  assert.deepEqual(signature, {
    inputs: { input: { name: "input:0", dtype: "DT_FLOAT", tensorShape: { dim: [{ size: "-1" }, { size: "8" }] } } },
    outputs: {
      embedding: { name: "embedding:0", dtype: "DT_FLOAT", tensorShape: { dim: [{ size: "-1" }, { size: "3" }] } },
    },
  });
  await assertComputesTheSame(model, noise([2, 8]));
});

Deno.test("a value that two layers take is not folded away from either", async () => {
  const image = tf.input({ shape: [6, 6, 3] });
  const shared = layers.conv2d({ filters: 4, kernelSize: 3, padding: "same" }).apply(image) as Symbolic;
  const normalized = layers.batchNormalization({}).apply(shared) as Symbolic;
  const rectified = layers.reLU().apply(shared) as Symbolic;
  const model = randomizeWeights(
    tf.model({ inputs: image, outputs: layers.add().apply([normalized, rectified]) as Symbolic }),
  );
  assert.deepEqual(await operationsOf(model), ["_FusedConv2D", "Mul", "AddV2", "Relu", "AddV2"]);
  await assertComputesTheSame(model, noise([2, 6, 6, 3]));
});

Deno.test("padding that a convolution and another layer take stays for the other", async () => {
  const image = tf.input({ shape: [6, 6, 3] });
  const padded = layers.zeroPadding2d({ padding: 1 }).apply(image) as Symbolic;
  const convolved = layers.conv2d({ filters: 3, kernelSize: 1 }).apply(padded) as Symbolic;
  const model = randomizeWeights(
    tf.model({ inputs: image, outputs: layers.add().apply([padded, convolved]) as Symbolic }),
  );
  assert.deepEqual(await operationsOf(model), ["PadV2", "_FusedConv2D", "AddV2"]);
  await assertComputesTheSame(model, noise([2, 6, 6, 3]));
});

Deno.test("a layer called twice is two operations on one weight", async () => {
  const image = tf.input({ shape: [6, 6, 4] });
  const convolution = layers.conv2d({ filters: 4, kernelSize: 3, padding: "same", useBias: false });
  const normalization = layers.batchNormalization({});
  const once = normalization.apply(convolution.apply(image)) as Symbolic;
  const twice = normalization.apply(convolution.apply(once)) as Symbolic;
  const model = randomizeWeights(tf.model({ inputs: image, outputs: twice }));
  const { constants } = await graphDefOf(model);
  assert.deepEqual(constants.map((constant) => constant.shape), [[3, 3, 4, 4], [4]]);
  await assertComputesTheSame(model, noise([2, 6, 6, 4]));
});

Deno.test("models within models are unrolled, the same model twice included", async () => {
  const block = tf.sequential({
    name: "block",
    layers: [
      layers.conv2d({ filters: 3, kernelSize: 3, padding: "same", useBias: false, inputShape: [6, 6, 3] }),
      layers.batchNormalization({}),
      layers.reLU(),
    ],
  });
  const inner = tf.input({ shape: [6, 6, 3] });
  const trunk = tf.model({ inputs: inner, outputs: block.apply(block.apply(inner)) as Symbolic, name: "trunk" });
  const model = randomizeWeights(
    tf.sequential({ layers: [trunk, layers.globalAveragePooling2d({}), layers.dense({ units: 4 })] }),
  );
  assert.deepEqual(await operationsOf(model), ["_FusedConv2D", "_FusedConv2D", "Mean", "_FusedMatMul"]);
  await assertComputesTheSame(model, noise([2, 6, 6, 3]));
});

Deno.test("a model that was saved and loaded again exports to the same bytes", async () => {
  const model = backbone("thin-resnet", 28);
  const artifacts = await new Promise<tf.io.ModelArtifacts>((resolve) =>
    model.save(tf.io.withSaveHandler((artifacts) => {
      resolve(artifacts);
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } });
    }))
  );
  const loaded = await tf.loadLayersModel(tf.io.fromMemory(artifacts));
  assert.deepEqual(await filesOf(loaded), await filesOf(model));
});

Deno.test("a model with two inputs is refused", async () => {
  const [a, b] = [tf.input({ shape: [4] }), tf.input({ shape: [4] })];
  const model = tf.model({ inputs: [a, b], outputs: layers.add().apply([a, b]) as Symbolic });
  await assert.rejects(
    traceModel(model),
    (error: Error) => error instanceof ModelError && /2 inputs/.test(error.message),
  );
});
