import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { ModelError } from "../../../../shared/errors.ts";
import { chooseEngine } from "../../../../trainer/engines/mod.ts";
import { efficientNetLite0 } from "../../../../trainer/models/efficientnet_lite.ts";
import { type Initializers, initializersFrom } from "../../../../trainer/models/initializer.ts";
import { mobileNetV2 } from "../../../../trainer/models/mobilenet_v2.ts";
import { resnet } from "../../../../trainer/models/resnet.ts";
import { compareWeights, importWeights } from "../../../../trainer/models/weights/import.ts";
import { NAME_MAPS } from "../../../../trainer/models/weights/names.ts";
import { readSafetensors, type StoredTensor } from "../../../../trainer/models/weights/safetensors.ts";
import fixture from "../../../fixtures/models/features.json" with { type: "json" };
import { assertClose } from "../engines/gradients.ts";
import { checkpoint, image } from "./formula.ts";

interface Golden {
  height: number;
  width: number;
  seed: number;
  norm: number;
  max: number;
  every: number[];
}

type Weights = [name: string, seed: number, shape: number[]][];

const LITE0 = new URL("../../../../samples/backbones/efficientnet-lite0.safetensors", import.meta.url);

const BACKBONES = {
  "efficientnet-lite0": {
    build: efficientNetLite0,
    read: () => readSafetensors(Deno.readFileSync(LITE0), "efficientnet-lite0.safetensors"),
    goldens: fixture["efficientnet-lite0"].goldens as Golden[],
  },
  "resnet18": {
    build: (x: tf.SymbolicTensor, initializers: Initializers) => resnet(x, 18, initializers),
    read: () => checkpoint(fixture.resnet18.weights as Weights),
    goldens: fixture.resnet18.goldens as Golden[],
  },
  "mobilenet-v2": {
    build: mobileNetV2,
    read: () => checkpoint(fixture["mobilenet-v2"].weights as Weights),
    goldens: fixture["mobilenet-v2"].goldens as Golden[],
  },
};

function build(name: keyof typeof BACKBONES, height = 64, width = height): tf.LayersModel {
  const x = tf.input({ shape: [height, width, 3] });
  return tf.model({ inputs: x, outputs: BACKBONES[name].build(x, initializersFrom(1)), name });
}

for (const name of Object.keys(BACKBONES) as (keyof typeof BACKBONES)[]) {
  for (const { height, width, seed, norm, max, every } of BACKBONES[name].goldens) {
    Deno.test(`${name} with imported weights computes PyTorch's features of an image of ${height}x${width}`, async () => {
      await chooseEngine("wasm");
      const model = build(name, height, width);
      importWeights(model, BACKBONES[name].read(), NAME_MAPS[name], name);
      const x = tf.tensor4d(image(height, width, seed), [1, height, width, 3]);
      const features = await (model.predict(x) as tf.Tensor).data<"float32">();
      const sampled = features.filter((_, i) => i % fixture.every === 0);
      // To 1e-4 of the greatest feature.
      assertClose([...sampled, max], [...every, max], 1e-4, "features");
      assert.ok(Math.abs(Math.hypot(...features) - norm) < 1e-4 * norm, `norm ${Math.hypot(...features)}, not ${norm}`);
    });
  }
}

Deno.test("the bundled EfficientNet-Lite0 fills every layer of the backbone and has nothing besides", () => {
  const model = build("efficientnet-lite0");
  const report = compareWeights(model, BACKBONES["efficientnet-lite0"].read(), NAME_MAPS["efficientnet-lite0"]);
  assert.deepEqual({ ...report, matched: report.matched.length }, {
    matched: model.weights.length,
    missing: [],
    unexpected: [],
    mismatched: [],
  });
});

Deno.test("the report names a classifier as unexpected", () => {
  const report = compareWeights(build("resnet18"), BACKBONES.resnet18.read(), NAME_MAPS.resnet18);
  assert.deepEqual(report.unexpected, ["fc.weight", "fc.bias"]);
});

Deno.test("weights that do not fit are refused by name, and the network stays as it was", async () => {
  await chooseEngine("wasm");
  const model = build("resnet18");
  const before = await kernelOf(model);
  const tensors: Map<string, StoredTensor> = new Map(BACKBONES.resnet18.read());
  tensors.delete("layer1.0.bn1.running_var");
  tensors.set("layer4.1.conv2.weight", { ...tensors.get("layer4.1.conv2.weight")!, shape: [512, 512, 1, 1] });
  assert.throws(() => importWeights(model, tensors, NAME_MAPS.resnet18, "net.safetensors"), (error) => {
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
  const tensors: Map<string, StoredTensor> = new Map(BACKBONES.resnet18.read());
  const last = tensors.get("layer4.1.bn2.running_var")!;
  tensors.set("layer4.1.bn2.running_var", { ...last, read: () => last.read().fill(NaN, 7, 8) });
  assert.throws(
    () => importWeights(model, tensors, NAME_MAPS.resnet18, "net.safetensors"),
    /The tensor layer4\.1\.bn2\.running_var of net\.safetensors has values that are not finite/,
  );
  assert.deepEqual(await kernelOf(model), before);
});

Deno.test("MobileNetV2 is found under timm's names as under torchvision's", () => {
  const model = build("mobilenet-v2");
  const [timm, torchvision] = NAME_MAPS["mobilenet-v2"];
  const renamed = new Map<string, StoredTensor>();
  const tensors = BACKBONES["mobilenet-v2"].read();
  for (const layer of model.layers) {
    for (const part of ["weight", "bias", "running_mean", "running_var"]) {
      const tensor = tensors.get(`${torchvision(layer.name)}.${part}`);
      if (tensor) renamed.set(`${timm(layer.name)}.${part}`, tensor);
    }
  }
  assert.ok(renamed.has("blocks.6.0.conv_pwl.weight") && renamed.has("blocks.0.0.bn2.running_mean"));
  assert.deepEqual(compareWeights(model, renamed, NAME_MAPS["mobilenet-v2"]).missing, []);
});

function kernelOf(model: tf.LayersModel): Promise<Float32Array> {
  return model.getLayer("stem").getWeights()[0].data<"float32">();
}
