import assert from "node:assert/strict";
import { cosinesOf, filesOf, graphDefOf, noise } from "./exported.ts";
import { backbone, kerasBottleneckNet, mobileNet, withUnequalChannels } from "./networks.ts";
import { type Storage, storagePlans } from "../../../../trainer/export/storage.ts";
import type { StorageScheme } from "../../../../trainer/export/quantize.ts";

const CONSTANTS = ["a", "b", "c"].map((name, i) => ({
  name: `${name}/kernel`,
  shape: [1, 10 * (i + 1)],
  values: new Float32Array(10 * (i + 1)),
})).concat({ name: "a/bias", shape: [10], values: new Float32Array(10) });

/** What `1 - cosine` each kernel costs in 8 bits. */
const LOSSES: Record<string, number> = { "a/kernel": 1e-5, "b/kernel": 9e-3, "c/kernel": 2e-3 };

async function schemesOf(scheme: StorageScheme, allowed: number): Promise<string[]> {
  const lossOf = (storage: Storage) =>
    Promise.resolve(
      Object.entries(LOSSES).reduce((sum, [name, loss]) => sum + (storage(name) === "uint8" ? loss : 0), 0),
    );
  const plans: string[] = [];
  for await (const storage of storagePlans(CONSTANTS, scheme, allowed, lossOf)) {
    plans.push(Object.keys(LOSSES).map(storage).join(" "));
  }
  return plans;
}

Deno.test("there is one way to store weights as they are, and one in float16", async () => {
  assert.deepEqual(await schemesOf("none", 1e-3), ["none none none"]);
  assert.deepEqual(await schemesOf("float16", 1e-3), ["float16 float16 float16"]);
});

Deno.test("8-bit plans keep in float16 first the kernels that lose most a byte, as many as the goal takes", async () => {
  assert.deepEqual(await schemesOf("uint8", 3e-3), [
    "uint8 uint8 uint8",
    "uint8 float16 uint8",
    "uint8 float16 float16",
    "float16 float16 float16",
  ]);
  assert.deepEqual(await schemesOf("uint8", 1e-4), [
    "uint8 uint8 uint8",
    "uint8 float16 float16",
    "float16 float16 float16",
  ]);
});

Deno.test("a kernel too small to save anything is not measured, and kept in float16 after the first plan", async () => {
  const small = { name: "small/kernel", shape: [1, 3], values: new Float32Array(3) };
  const large = { name: "large/kernel", shape: [1, 997], values: new Float32Array(997) };
  const measured: string[] = [];
  const lossOf = (storage: Storage) => {
    measured.push(...["small/kernel", "large/kernel"].filter((name) => storage(name) === "uint8"));
    return Promise.resolve(1);
  };
  const plans: string[] = [];
  for await (const storage of storagePlans([small, large], "uint8", 2, lossOf)) {
    plans.push(`${storage(small.name)} ${storage(large.name)}`);
  }
  assert.deepEqual(plans, ["uint8 uint8", "float16 float16"]);
  assert.deepEqual(measured, ["large/kernel"]);
});

Deno.test("nothing is measured as long as the first plan is good enough", async () => {
  const plans = storagePlans(CONSTANTS, "uint8", 1e-3, () => assert.fail("a loss was measured"));
  const first = await plans.next();
  assert.equal((first.value as Storage)("a/kernel"), "uint8");
});

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

for (
  const [name, make] of Object.entries({
    "a thin ResNet": () => backbone("thin-resnet", 40),
    "a MobileNetV2": () => mobileNet(40),
    "a bottleneck network": () => kerasBottleneckNet(40),
  })
) {
  Deno.test(`${name} keeps a mean cosine of 0.999 with all kernels in 8 bits, of 0.999999 in float16`, async () => {
    const model = make();
    const x = noise([8, 40, 40, 3]);
    assert.ok(mean(await cosinesOf(model, await filesOf(model, () => "uint8"), x)) >= 0.999);
    assert.ok(mean(await cosinesOf(model, await filesOf(model, () => "float16"), x)) >= 0.999999);
  });
}

Deno.test("where channels differ by decades 8 bits alone fail, and a few kernels in float16 mend it", async () => {
  const model = withUnequalChannels(mobileNet(40));
  const { constants } = await graphDefOf(model);
  const x = noise([8, 40, 40, 3]);
  const lossOf = async (storage: Storage) => 1 - mean(await cosinesOf(model, await filesOf(model, storage), x));
  const means: number[] = [];
  let bytes = 0;
  for await (const storage of storagePlans(constants, "uint8", 1e-3, lossOf)) {
    const files = await filesOf(model, storage);
    bytes = files.weights.length;
    means.push(mean(await cosinesOf(model, files, x)));
    if (means[means.length - 1] >= 0.999) break;
  }
  const whole = (await filesOf(model, () => "float16")).weights.length;
  assert.ok(means[0] < 0.999, `8 bits alone gave ${means[0]}`);
  assert.ok(means[means.length - 1] >= 0.999, `the last plan gave ${means[means.length - 1]}`);
  assert.ok(bytes < 0.85 * whole, `${bytes} of ${whole} bytes`);
});
