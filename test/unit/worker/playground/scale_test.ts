import assert from "node:assert/strict";
import { percent } from "../../../../worker/playground/dom.js";
import { fnmrText, stopsOf } from "../../../../worker/playground/scale.js";

const thresholds = [
  { fmr: 0.01, distance: 0.5, fnmr: 0.4, fnmrLow: 0.3, fnmrHigh: 0.5 },
  { fmr: 0.1, distance: 0.8, fnmr: 0.1, fnmrLow: 0.05, fnmrHigh: 0.2 },
];
const calibration = { distance: [0.4, 0.5, 0.6, 1.4], fmr: [0.004, 0.01, 0.03, 1] };
const stops: { distance: number; fmr: number }[] = stopsOf({ calibration, thresholds });

Deno.test("stopsOf() has every distance that was measured once, ascending, with its rate", () => {
  assert.deepEqual(
    stops.map(({ distance, fmr }) => [distance, fmr]),
    [[0.4, 0.004], [0.5, 0.01], [0.6, 0.03], [0.8, 0.1], [1.4, 1]],
  );
});

Deno.test("fnmrText() tells what was measured, and between two of the card's thresholds no more than their rates", () => {
  assert.deepEqual(stops.map((stop) => fnmrText(stop, thresholds).replaceAll("\u00a0", " ")), [
    "40 % or more",
    "40 % (95 % interval 30 % to 50 %)",
    "between 10 % and 40 %",
    "10 % (95 % interval 5 % to 20 %)",
    "10 % or less",
  ]);
});

Deno.test("percent() never rounds a small rate to none, nor a high one to certainty", () => {
  const shares = [0, 1e-9, 0.00123, 0.0456, 0.5, 0.995, 0.99999, 1].map(percent);
  assert.deepEqual(shares.map((text: string) => text.replaceAll("\u00a0", " ")), [
    "0 %",
    "below 0.01 %",
    "0.12 %",
    "4.6 %",
    "50 %",
    "99.5 %",
    "above 99.9 %",
    "100 %",
  ]);
});
