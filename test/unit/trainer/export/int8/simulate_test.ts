import type * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import {
  computeStep,
  gridsOf,
  type Plan,
  planOf,
  readLayers,
  shapesOf,
  type Value,
} from "../../../../../shared/int8/mod.ts";
import { simulate } from "../../../../../trainer/export/int8/simulate.ts";
import { noise } from "../exported.ts";
import { backbone, kerasBottleneckNet, mobileNet } from "../networks.ts";
import { int8Of } from "./int8.ts";

/** Every value of one image as the simulation computes it. */
async function simulated(plan: Plan, image: tf.Tensor): Promise<Map<string, Value>> {
  const grids = new Map(plan.steps.map((step) => [step.layer.name, "finish" in step ? step.finish.grid : step.grid]));
  const floats = new Set(["mean", "flatten", "dense", "normalize"]);
  const values = new Map<string, Value>([[plan.input, await image.data<"float32">()]]);
  simulate(plan).predict(image, ({ layer: { name, op } }, value) => {
    const numbers = value.dataSync<"float32">();
    values.set(name, grids.get(name) === null || floats.has(op) ? numbers : Uint8Array.from(numbers));
  });
  return values;
}

const NETWORKS: [name: string, model: () => tf.LayersModel, size: number][] = [
  ["a thin ResNet", () => backbone("thin-resnet", 20), 20],
  ["a MobileNetV2", () => mobileNet(19), 19],
  ["a MobileFaceNet", () => backbone("mobilefacenet", 32), 32],
  ["a ResNet-50 as Keras has it", () => kerasBottleneckNet(24), 24],
];
for (const [name, model, size] of NETWORKS) {
  Deno.test(`each step of ${name} gives the codes of the reference, to the bit`, async () => {
    const { files, activations } = await int8Of(model(), size);
    const plan = planOf(readLayers(files), gridsOf(activations));
    const values = await simulated(plan, noise([1, size, size, 3])), shapes = shapesOf(plan);
    let codes = 0;
    for (const step of plan.steps) {
      const { name, input } = step.layer;
      const expected = computeStep(step, values, shapes.get(input)!), actual = values.get(name)!;
      assert.equal(actual.length, expected.length);
      const worst = Math.max(...Array.from(expected, (value, i) => Math.abs(value - actual[i])));
      // What takes the image sums in float32, in another order: that may tip a code over. All else is exact.
      const tolerance = input === plan.input
        ? 1
        : actual instanceof Uint8Array
        ? 0
        : 1e-5 * Math.max(...Array.from(expected, Math.abs));
      assert.ok(worst <= tolerance, `${name} is off by ${worst}`);
      if (actual instanceof Uint8Array) codes += new Set(actual).size;
    }
    assert.ok(codes > 20 * activations.length, "the values hardly differ: the test says little");
  });
}
