import assert from "node:assert/strict";
import { UsageError } from "../../../shared/errors.ts";
import { resolveConfig } from "../../../trainer/config.ts";
import { chooseEngine } from "../../../trainer/engines/mod.ts";
import { createNetwork } from "../../../trainer/network.ts";
import { stagesOf } from "../../../trainer/stages.ts";

const scratch = (...set: string[]) => resolveConfig({ preset: "scratch", set: ["imageSize=32", ...set] });
await chooseEngine("wasm");
const model = await createNetwork(scratch());
const float32 = { rate: 1, int8: false };
const last = model.layers.at(-3)!.name;

Deno.test("a run without a head's stage is one stage that trains all, or all that is not frozen", () => {
  assert.deepEqual(stagesOf(model, scratch(), 9), [{
    start: 0,
    end: 9,
    frozen: undefined,
    cachedViews: 0,
    ...float32,
  }]);
  const [stage, ...more] = stagesOf(model, scratch("freeze=stage2", "cachedViews=2"), 9);
  assert.deepEqual([stage.start, stage.end, stage.cachedViews, more.length], [0, 9, 2, 0]);
  assert.match(stage.frozen!, /^stage2_/);
});

Deno.test("the head trains alone first, on at least one view that is kept, and then what is not frozen", () => {
  const stages = stagesOf(model, scratch("headSteps=4"), 9);
  assert.deepEqual(stages, [
    { start: 0, end: 4, frozen: last, cachedViews: 1, ...float32 },
    { start: 4, end: 9, frozen: undefined, cachedViews: 0, ...float32 },
  ]);
  const views = stagesOf(model, scratch("headSteps=4", "freeze=stage2", "cachedViews=3"), 9);
  assert.deepEqual(views.map(({ cachedViews }) => cachedViews), [3, 3]);
});

Deno.test("a run that is shorter than the head's stage has that alone", () => {
  const stages = stagesOf(model, scratch("headSteps=20"), 9);
  assert.deepEqual(stages.map(({ start, end, frozen }) => [start, end, frozen]), [[0, 9, last]]);
});

Deno.test("what is not frozen trains in int8 last, a quarter as many steps more, at a tenth of the learning rate", () => {
  const stages = stagesOf(model, scratch("headSteps=4", "freeze=stage2", "qat=true"), 9);
  assert.deepEqual(stages.map(({ start, end, int8 }) => [start, end, int8]), [[0, 4, false], [4, 9, false], [
    9,
    12,
    true,
  ]]);
  assert.deepEqual(stages[2], { ...stages[1], start: 9, end: 12, rate: 0.1, int8: true });
});

Deno.test("a stage cannot be frozen up to what the network has not", () => {
  assert.throws(() => stagesOf(model, scratch("freeze=stage9"), 9), UsageError);
});
