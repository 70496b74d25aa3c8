import assert from "node:assert/strict";
import { falseMatchProbability, falseMatchRate, thresholdAt, thresholdFor } from "../../../worker/decision.ts";

const CALIBRATION = { distance: [0.5, 0.8, 0.9, 1.4], fmr: [0.001, 0.01, 0.01, 0.5] };
const THRESHOLDS = [
  { fmr: 0.01, distance: 0.85, fnmr: 0.1, fnmrLow: 0, fnmrHigh: 0.2 },
  { fmr: 0.1, distance: 1.2, fnmr: 0, fnmrLow: 0, fnmrHigh: 0.1 },
];
const CARD = { calibration: CALIBRATION, thresholds: THRESHOLDS };

function near(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < 1e-12, `${actual} is not ${expected}`);
}

Deno.test("thresholdAt() has exactly the distance of a listed rate", () => {
  assert.deepEqual(thresholdAt(CARD, 0.01), { fmr: 0.01, distance: 0.85 });
  assert.deepEqual(thresholdAt(CARD, 0.1), { fmr: 0.1, distance: 1.2 });
});

Deno.test("thresholdAt() is linear in log(rate) between the points of the calibration", () => {
  const { fmr, distance } = thresholdAt(CARD, Math.sqrt(0.001 * 0.01));
  near(distance, 0.65);
  near(fmr, Math.sqrt(0.001 * 0.01));
});

Deno.test("thresholdAt() takes the far end of a step where the rate stays the same", () => {
  near(thresholdAt({ ...CARD, thresholds: [] }, 0.01).distance, 0.9);
});

Deno.test("thresholdAt() is 0 below the lowest supported rate: only the very same image is as near", () => {
  for (const fmr of [1e-9, 0.000999]) assert.deepEqual(thresholdAt(CARD, fmr), { fmr, distance: 0 });
  assert.deepEqual(thresholdAt(CARD, 0.001), { fmr: 0.001, distance: 0.5 });
  const listed = { ...CARD, thresholds: [{ ...THRESHOLDS[0], fmr: 0.0001 }] };
  assert.deepEqual(thresholdAt(listed, 0.0001), { fmr: 0.0001, distance: 0 });
});

Deno.test("thresholdAt() answers the highest rate of the calibration for a higher one", () => {
  assert.deepEqual(thresholdAt(CARD, 0.99), { fmr: 0.5, distance: 1.4 });
});

Deno.test("thresholdAt() never shrinks as the rate grows", () => {
  const distances = Array.from(
    { length: 400 },
    (_, i) => thresholdAt({ ...CARD, thresholds: [] }, 10 ** (-4 + i / 100)),
  );
  for (let i = 1; i < distances.length; i++) assert.ok(distances[i].distance >= distances[i - 1].distance);
});

Deno.test("thresholdFor() is that of the default rate, of the rate or of the distance that is asked for", () => {
  assert.deepEqual(thresholdFor(CARD, {}), { fmr: 0.001, distance: 0.5 });
  assert.deepEqual(thresholdFor(CARD, { fmr: 0.1 }), { fmr: 0.1, distance: 1.2 });
  const { fmr, distance } = thresholdFor(CARD, { maxDistance: 0.65 });
  near(fmr, Math.sqrt(0.001 * 0.01));
  assert.equal(distance, 0.65);
  assert.deepEqual(thresholdFor(CARD, { maxDistance: 0 }), { fmr: 0.001, distance: 0 });
  assert.deepEqual(thresholdFor(CARD, { maxDistance: 2 }), { fmr: 1, distance: 2 });
});

Deno.test("thresholdFor() takes the stricter one of a rate and a distance", () => {
  assert.deepEqual(thresholdFor(CARD, { fmr: 0.1, maxDistance: 0.5 }), { fmr: 0.001, distance: 0.5 });
  assert.deepEqual(thresholdFor(CARD, { fmr: 0.1, maxDistance: 1.3 }), { fmr: 0.1, distance: 1.2 });
});

Deno.test("falseMatchRate() is the calibration read the other way", () => {
  for (const fmr of [0.0011, 0.002, 0.009, 0.02, 0.3]) {
    near(falseMatchRate(CALIBRATION, thresholdAt({ ...CARD, thresholds: [] }, fmr).distance), fmr);
  }
});

Deno.test("falseMatchRate() claims no less than the first point and is 1 past the last", () => {
  assert.equal(falseMatchRate(CALIBRATION, 0), 0.001);
  assert.equal(falseMatchRate(CALIBRATION, 0.5), 0.001);
  assert.equal(falseMatchRate(CALIBRATION, 1.4), 0.5);
  assert.equal(falseMatchRate(CALIBRATION, 1.4001), 1);
});

Deno.test("falseMatchProbability() is 1 - (1 - fmr)^subjects", () => {
  near(falseMatchProbability(0.01, 65), 1 - 0.99 ** 65);
  assert.equal(falseMatchProbability(1, 3), 1);
  assert.equal(falseMatchProbability(0.5, 0), 0);
});

Deno.test("falseMatchProbability() keeps its digits for tiny rates", () => {
  assert.ok(Math.abs(falseMatchProbability(1e-18, 10) / 1e-17 - 1) < 1e-9);
});
