import assert from "node:assert/strict";
import { curvesOf } from "../../../../trainer/report/curves.ts";
import { reportData } from "./report_data.ts";

const [example] = reportData().steps;

Deno.test("curvesOf() keeps every step of a short run", () => {
  assert.deepEqual(curvesOf(reportData().steps).step, [1, 2, 3]);
});

Deno.test("curvesOf() averages the steps of a long run, and ends at its last step", () => {
  const steps = Array.from({ length: 7001 }, (_, i) => ({ ...example, step: i + 1, loss: i + 1 }));
  const { step, loss } = curvesOf(steps);
  assert.ok(step.length <= 3000);
  assert.deepEqual([step[0], loss[0]], [3, 2]);
  assert.equal(step.at(-1), 7001);
});

Deno.test("curvesOf() of no steps is empty columns", () => {
  assert.deepEqual(curvesOf([]).loss, []);
});
