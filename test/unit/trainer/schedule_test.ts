import assert from "node:assert/strict";
import { learningRateAt, type LearningRateSchedule } from "../../../trainer/schedule.ts";

const COSINE: LearningRateSchedule = { learningRate: 2, schedule: "cosine", warmupSteps: 10, totalSteps: 110 };
const STEP: LearningRateSchedule = { ...COSINE, schedule: "step", decaySteps: 40, decayFactor: 0.5 };

const rates = (schedule: LearningRateSchedule, steps: number[]) => steps.map((step) => learningRateAt(step, schedule));

function assertRates(actual: number[], expected: number[]): void {
  assert.equal(actual.length, expected.length);
  actual.forEach((rate, i) => assert(Math.abs(rate - expected[i]) < 1e-9, `${rate}, not ${expected[i]}`));
}

Deno.test("every schedule rises linearly through the warm-up to the learning rate", () => {
  for (const schedule of ["cosine", "step", "constant"] as const) {
    assertRates(rates({ ...COSINE, schedule }, [0, 4, 9, 10]), [0.2, 1, 2, 2]);
  }
});

Deno.test("a schedule without warm-up starts at the learning rate", () => {
  assert.equal(learningRateAt(0, { ...COSINE, warmupSteps: 0 }), 2);
});

Deno.test("cosine falls from the end of the warm-up to 1%, and stays there", () => {
  assertRates(rates(COSINE, [35, 60, 110, 200]), [2 * (0.01 + 0.99 * (0.5 + Math.SQRT1_2 / 2)), 1.01, 0.02, 0.02]);
});

Deno.test("step falls by its factor every so many steps of the run", () => {
  assertRates(rates(STEP, [39, 40, 79, 80, 119, 120]), [2, 1, 1, 0.5, 0.5, 0.25]);
});

Deno.test("step falls to a tenth after each third of the run by default", () => {
  const schedule: LearningRateSchedule = { learningRate: 1, schedule: "step", warmupSteps: 0, totalSteps: 64_000 };
  assertRates(rates(schedule, [21_333, 21_334, 42_667, 42_668, 63_999]), [1, 0.1, 0.1, 0.01, 0.01]);
});

Deno.test("a step that falls within the warm-up is felt after it", () => {
  assertRates(rates({ ...STEP, decaySteps: 5 }, [5, 9, 10]), [1.2, 2, 0.5]);
});

Deno.test("constant stays", () => {
  assertRates(rates({ ...COSINE, schedule: "constant" }, [10, 60, 1000]), [2, 2, 2]);
});
