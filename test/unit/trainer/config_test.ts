import assert from "node:assert/strict";
import { UsageError } from "../../../shared/errors.ts";
import { describeSettings, resolveConfig } from "../../../trainer/config.ts";

Deno.test("resolveConfig() lets single settings override the file, and the file the preset", () => {
  const config = resolveConfig({
    preset: "products",
    file: { margin: 0.2, seed: 7 },
    set: ["seed=9", "backbone=resnet18", "flip=false"],
  });
  assert.deepEqual([config.margin, config.seed, config.backbone, config.flip], [0.2, 9, "resnet18", false]);
  assert.equal(resolveConfig({}).margin, 0.5);
  assert.equal(resolveConfig({ set: ["weights=null"] }).weights, undefined);
});

Deno.test("resolveConfig() leaves another loss its own margin and distance", () => {
  assert.deepEqual(resolveConfig({ set: ["loss=arcface"] }).margin, undefined);
  assert.deepEqual(resolveConfig({ set: ["loss=arcface"] }).distance, undefined);
  assert.deepEqual(resolveConfig({ set: ["loss=triplet-hard", "margin=0.7"] }).margin, 0.7);
  assert.deepEqual(resolveConfig({ set: ["loss=triplet-semihard"] }).distance, "L2");
});

Deno.test("resolveConfig() names the setting that cannot be", () => {
  const cases: [Parameters<typeof resolveConfig>[0], RegExp][] = [
    [{ preset: "best" }, /no preset best/],
    [{ set: ["learningrate=1"] }, /no setting learningrate/],
    [{ set: ["margin"] }, /KEY=VALUE/],
    [{ set: ["dimensions=1.5"] }, /dimensions cannot be 1.5/],
    [{ set: ["backbone=vgg"] }, /backbone cannot be "vgg"/],
    [{ file: { minCropArea: 0 } }, /minCropArea/],
    [{ set: ["weightDecay=0.1"] }, /optimizer=adamw/],
    [{ preset: "scratch", set: ["cachedViews=2"] }, /set freeze too/],
    [{ set: ["freeze=backbone", "headSteps=10"] }, /take one of the two/],
  ];
  for (const [sources, says] of cases) {
    assert.throws(
      () => resolveConfig(sources),
      (error) => error instanceof UsageError && says.test(error.message),
      String(says),
    );
  }
});

Deno.test("describeSettings() explains every setting", () => {
  for (const line of describeSettings().split("\n")) assert.match(line, /^ {2}\w+ +\S.{10}/);
});
