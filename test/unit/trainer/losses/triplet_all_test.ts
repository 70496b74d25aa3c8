import assert from "node:assert/strict";
import { DISTANCE_METRICS, tripletAll } from "../../../../trainer/losses/mod.ts";
import { assertDefinedBy, backends, distanceOf, mean, positivesAndNegatives, randomRows, run } from "./support.ts";

Deno.test("tripletAll() has the gradient of its definition: the mean over all triplets above 0", async () => {
  await backends.wasm();
  const rows = randomRows(12, 5, 8), labels = rows.map((_, i) => i % 4);
  for (const distance of DISTANCE_METRICS) {
    const definition = (moved: number[][]) =>
      mean(
        moved.flatMap((anchor, i) => {
          const { positives, negatives } = positivesAndNegatives(labels, i);
          const to = (k: number) => distanceOf(anchor, moved[k], distance);
          return positives.flatMap((p) => negatives.map((n) => 0.3 + to(p) - to(n)));
        }).filter((violation) => violation > 0),
      );
    assertDefinedBy(tripletAll({ margin: 0.3, distance }), labels, rows, definition);
  }
});

Deno.test("tripletAll() averages over active triplets alone and reports their share", async () => {
  await backends.wasm();
  const { loss, statistics } = run(tripletAll({ margin: 1 }), [0, 0, 1, 2, 2], [[0], [1], [1.5], [9], [10]]);
  // Of the 2 * 3 + 2 * 3 triplets: 1 + 1 - 1.5 from row 0 and 1 + 1 - 0.5 from row 1.
  assert.ok(Math.abs(loss - (0.5 + 1.5) / 2) < 1e-6);
  assert.equal(statistics.activeTripletShare, 2 / 12);
  assert.equal(statistics.hasTriplets, true);
});

Deno.test("tripletAll() is 0 with a zero gradient, and says so, where there is no triplet", async () => {
  await backends.wasm();
  for (const labels of [[1, 1, 1], [1, 2, 3]]) {
    const { loss, gradient, statistics } = run(tripletAll(), labels, [[1, 0], [0, 1], [1, 1]]);
    assert.deepEqual([loss, ...gradient], [0, 0, 0, 0, 0, 0, 0]);
    assert.equal(statistics.hasTriplets, false);
  }
});
