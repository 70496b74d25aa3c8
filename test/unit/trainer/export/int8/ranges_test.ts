import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { quantizableValues, readLayers } from "../../../../../shared/int8/mod.ts";
import { bestGrid, gridOver, measureRanges, type Range } from "../../../../../trainer/export/int8/ranges.ts";
import { filesOf, noise } from "../exported.ts";
import { mobileNet } from "../networks.ts";

function rangeOf(values: number[], bins = 2048): Range {
  const low = Math.min(0, ...values), high = Math.max(0, ...values), counts = new Float64Array(bins);
  for (const value of values) counts[Math.min(bins - 1, Math.floor((value - low) / (high - low) * bins))]++;
  return { low, high, counts };
}

function squaredError(values: number[], { scale, zero }: { scale: number; zero: number }): number {
  return values.reduce((sum, value) => {
    const code = Math.min(127, Math.max(0, Math.round(value / scale) + zero));
    return sum + ((code - zero) * scale - value) ** 2;
  }, 0);
}

const NORMAL = [...tf.randomNormal([100_000], 0, 1, "float32", 3).dataSync()];

Deno.test("ranges are those of all images, and every value is counted", async () => {
  const network = readLayers(await filesOf(mobileNet(17)));
  const ranges = await measureRanges(network, function* () {
    yield noise([2, 17, 17, 3], 1) as tf.Tensor4D;
    yield noise([1, 17, 17, 3], 2) as tf.Tensor4D;
  });
  const values = quantizableValues(network);
  assert.deepEqual([...ranges.keys()], values.map(({ name }) => name));
  for (const { name, shape } of values) {
    const { low, high, counts } = ranges.get(name)!;
    assert.equal(counts.reduce((sum, count) => sum + count), 3 * shape.height * shape.width * shape.channels);
    assert.ok(low <= 0 && high > 0);
    // An activation that ends at 6 gives nothing above it, and nothing below 0.
    if (/re_lu/.test(name)) assert.ok(low === 0 && high <= 6, `${name}: ${low} to ${high}`);
  }
});

Deno.test("0 is a code: the lowest of what is never negative", () => {
  assert.equal(bestGrid(rangeOf(NORMAL.map(Math.abs))).zero, 0);
  const { scale, zero } = gridOver(-1, 3);
  assert.ok(Number.isInteger(zero) && Math.abs(zero * scale - 1) <= scale / 2);
});

Deno.test("a few values far out are clipped for the sake of all others", () => {
  const values = [...NORMAL, 30, -25];
  const range = rangeOf(values), best = bestGrid(range);
  const whole = gridOver(range.low, range.high);
  assert.ok(best.scale < 0.8 * whole.scale, `${best.scale}, ${whole.scale}`);
  assert.ok(squaredError(values, best) < 0.9 * squaredError(values, whole));
});

Deno.test("evenly spread values keep their whole range", () => {
  const range = rangeOf(Array.from({ length: 5000 }, (_, i) => i / 1000));
  assert.ok(bestGrid(range).scale > 0.97 * gridOver(range.low, range.high).scale);
});
