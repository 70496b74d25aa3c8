import assert from "node:assert/strict";
import { belowCounter, countAtOrBelow, countBelow } from "../../../../trainer/metrics/sorted.ts";
import { randomStream } from "../../../../trainer/random.ts";

Deno.test("belowCounter() counts as countBelow() does, for values among them, equal to them and between them", () => {
  const random = randomStream(9, "sorted");
  const draws: [string, () => number][] = [
    ["even", random],
    ["tied", () => Math.floor(6 * random())],
    ["lopsided", () => random() ** 20],
    ["two clumps", () => (random() < 0.5 ? 0 : 1e6) + random()],
  ];
  for (const [what, draw] of draws) {
    for (const length of [1, 2, 3, 10, 300]) {
      const sorted = Float64Array.from({ length }, draw).sort(), count = belowCounter(sorted);
      const values = [...sorted, ...sorted.map((v, i) => (v + (sorted[i + 1] ?? v)) / 2), -1];
      for (const value of values) {
        assert.equal(count(value), countBelow(sorted, value), `${value} among ${length} ${what}`);
      }
    }
  }
});

Deno.test("countBelow() and countAtOrBelow() differ by the values that are equal", () => {
  assert.deepEqual([countBelow([1, 2, 2, 5], 2), countAtOrBelow([1, 2, 2, 5], 2)], [1, 3]);
  assert.deepEqual([countBelow([], 2), countAtOrBelow([1], 0)], [0, 0]);
});
