import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { ModelError } from "../../../../shared/errors.ts";
import { chooseEngine } from "../../../../trainer/engines/mod.ts";
import { BACKBONES } from "../../../../trainer/models/backbones.ts";
import { compareWeights, importWeights } from "../../../../trainer/models/weights/import.ts";
import { KERAS, type Layout, TORCH } from "../../../../trainer/models/weights/layout.ts";
import { TORCH_NAMES } from "../../../../trainer/models/weights/names.ts";
import { PIXEL_SCALES } from "../../../../trainer/models/pixel_scales.ts";
import { readSafetensors, type StoredTensor } from "../../../../trainer/models/weights/safetensors.ts";
import fixture from "../../../fixtures/models/features.json" with { type: "json" };
import keras from "../../../fixtures/models/keras.json" with { type: "json" };
import torchvision from "../../../fixtures/models/torchvision.json" with { type: "json" };
import { assertClose } from "../engines/gradients.ts";
import { checkpoint, deepCheckpoint, image, uniform, type Weights, ZEROS } from "./formula.ts";

const EVERY = 40;

interface Golden {
  height: number;
  width: number;
  seed: number;
  norm: number;
  max: number;
  every: number[];
}

interface Example {
  layout: Layout;
  read: () => Map<string, StoredTensor>;
  goldens: Golden[];
  /** Default: from the formula, in [-1, 1). */
  input?: (height: number, width: number, seed: number) => Float32Array;
}

const LITE0 = new URL("../../../../samples/backbones/efficientnet-lite0.safetensors", import.meta.url);

const EXAMPLES = {
  "efficientnet-lite0": {
    layout: TORCH,
    read: () => readSafetensors(Deno.readFileSync(LITE0), "efficientnet-lite0.safetensors"),
    goldens: fixture["efficientnet-lite0"].goldens,
  },
  "resnet18": {
    layout: TORCH,
    read: () => checkpoint(fixture.resnet18.weights as Weights),
    goldens: fixture.resnet18.goldens,
  },
  "mobilenet-v2": {
    layout: TORCH,
    read: () => checkpoint(fixture["mobilenet-v2"].weights as Weights),
    goldens: fixture["mobilenet-v2"].goldens,
  },
  "resnet50-v1.5": {
    layout: TORCH,
    read: () => deepCheckpoint(torchvision.weights as Weights, [1, 2, 3]),
    goldens: torchvision.goldens,
  },
  "resnet50": {
    layout: KERAS,
    read: () => deepCheckpoint(keras.weights as Weights, [0, 1, 2]),
    goldens: keras.goldens,
    input: caffePixels,
  },
} satisfies Partial<Record<keyof typeof BACKBONES, Example>>;

type Name = keyof typeof EXAMPLES;

function build(name: keyof typeof BACKBONES, size: number | null = 64, channels = 3): tf.LayersModel {
  const x = tf.input({ shape: [size, size, channels] });
  return tf.model({ inputs: x, outputs: BACKBONES[name](x, ZEROS), name });
}

/** Red, green and blue as 8-bit pixels, scaled as `caffe` in `PIXEL_SCALES`. */
function caffePixels(height: number, width: number, seed: number): Float32Array {
  const { mean, std } = PIXEL_SCALES.caffe;
  const pixels = uniform(height * width * 3, seed);
  return Float32Array.from(pixels, (u, i) => (Math.floor(u * 256) / 255 - mean[i % 3]) / std[i % 3]);
}

for (const [name, example] of Object.entries(EXAMPLES) as [Name, Example][]) {
  const framework = example.layout === KERAS ? "Keras" : "PyTorch";
  const sizes = example.goldens.map(({ height, width }) => `${height}x${width}`).join(" and ");
  Deno.test(`${name} with imported weights computes ${framework}'s features of images of ${sizes}`, async () => {
    await chooseEngine("wasm");
    const model = build(name, null);
    importWeights(model, name, example.read(), example.layout, name);
    for (const { height, width, seed, norm, max, every } of example.goldens) {
      const x = tf.tensor4d((example.input ?? image)(height, width, seed), [1, height, width, 3]);
      const features = await (model.predict(x) as tf.Tensor).data<"float32">();
      const sampled = features.filter((_, i) => i % EVERY === 0);
      // To 1e-4 of the greatest feature.
      assertClose([...sampled, max], [...every, max], 1e-4, "features");
      assert.ok(Math.abs(Math.hypot(...features) - norm) < 1e-4 * norm, `norm ${Math.hypot(...features)}, not ${norm}`);
    }
  });
}

Deno.test("the bundled EfficientNet-Lite0 fills every layer of the backbone and has nothing besides", () => {
  const model = build("efficientnet-lite0");
  const report = compareWeights(model, "efficientnet-lite0", EXAMPLES["efficientnet-lite0"].read(), TORCH);
  assert.deepEqual({ ...report, matched: report.matched.length }, {
    matched: model.weights.length,
    missing: [],
    unexpected: [],
    mismatched: [],
  });
});

Deno.test("the report names a classifier as unexpected", () => {
  const report = compareWeights(build("resnet18"), "resnet18", EXAMPLES.resnet18.read(), TORCH);
  assert.deepEqual(report.unexpected, ["fc.weight", "fc.bias"]);
});

Deno.test("weights that do not fit are refused by name, and the network stays as it was", async () => {
  await chooseEngine("wasm");
  const model = build("resnet18");
  const before = await kernelOf(model);
  const tensors: Map<string, StoredTensor> = new Map(EXAMPLES.resnet18.read());
  tensors.delete("layer1.0.bn1.running_var");
  tensors.set("layer4.1.conv2.weight", { ...tensors.get("layer4.1.conv2.weight")!, shape: [512, 512, 1, 1] });
  assert.throws(() => importWeights(model, "resnet18", tensors, TORCH, "net.safetensors"), (error) => {
    assert.ok(error instanceof ModelError);
    assert.match(error.message, /net\.safetensors does not fit the backbone resnet18/);
    assert.match(error.message, /layer1\.0\.bn1\.running_var is missing/);
    assert.match(error.message, /layer4\.1\.conv2\.weight is \[512,512,1,1\] instead of \[512,512,3,3\]/);
    return true;
  });
  assert.deepEqual(await kernelOf(model), before);
});

Deno.test("weights that are not finite are refused, and the network stays as it was", async () => {
  await chooseEngine("wasm");
  const model = build("resnet18");
  const before = await kernelOf(model);
  const tensors: Map<string, StoredTensor> = new Map(EXAMPLES.resnet18.read());
  const last = tensors.get("layer4.1.bn2.running_var")!;
  tensors.set("layer4.1.bn2.running_var", { ...last, read: () => last.read().fill(NaN, 7, 8) });
  assert.throws(
    () => importWeights(model, "resnet18", tensors, TORCH, "net.safetensors"),
    /The tensor layer4\.1\.bn2\.running_var of net\.safetensors has values that are not finite/,
  );
  assert.deepEqual(await kernelOf(model), before);
});

Deno.test("MobileNetV2 is found under timm's names as under torchvision's", () => {
  const model = build("mobilenet-v2");
  const [timm, torchvision] = TORCH_NAMES["mobilenet-v2"];
  const renamed = new Map<string, StoredTensor>();
  const tensors = EXAMPLES["mobilenet-v2"].read();
  for (const layer of model.layers) {
    for (const part of ["weight", "bias", "running_mean", "running_var"]) {
      const tensor = tensors.get(`${torchvision(layer.name)}.${part}`);
      if (tensor) renamed.set(`${timm(layer.name)}.${part}`, tensor);
    }
  }
  assert.ok(renamed.has("blocks.6.0.conv_pwl.weight") && renamed.has("blocks.0.0.bn2.running_mean"));
  assert.deepEqual(compareWeights(model, "mobilenet-v2", renamed, TORCH).missing, []);
});

function kernelOf(model: tf.LayersModel): Promise<Float32Array> {
  return model.getLayer("stem").getWeights()[0].data<"float32">();
}
