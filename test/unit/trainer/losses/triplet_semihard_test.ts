import assert from "node:assert/strict";
import { DISTANCE_METRICS, type DistanceMetric, tripletSemihard } from "../../../../trainer/losses/mod.ts";
import { assertDefinedBy, backends, distanceOf, randomRows, run } from "./support.ts";

Deno.test("tripletSemihard() has the gradient of its definition", async () => {
  await backends.wasm();
  const rows = randomRows(12, 5, 7), labels = rows.map((_, i) => i % 4);
  for (const distance of DISTANCE_METRICS) {
    const made = tripletSemihard({ distance, margin: 0.7 });
    assertDefinedBy(made, labels, rows, (moved) => definition(moved, labels, distance, 0.7));
  }
});

Deno.test("tripletSemihard() reports the share of active pairs and the mean distance of its batch", async () => {
  await backends.wasm();
  const rows = [[0], [1], [1.5], [9], [10]];
  const { loss, statistics } = run(tripletSemihard({ margin: 1 }), [0, 0, 1, 2, 2], rows);
  // Only anchor 0 is active: positive at 1, nearest negative beyond at 1.5. The others find theirs 7 or more away.
  assert.ok(Math.abs(loss - 0.5 / 4) < 1e-6);
  assert.equal(statistics.activeTripletShare, 1 / 4);
  assert.ok(Math.abs(statistics.meanPairwiseDistance - 5.6) < 1e-6);
  assert.equal(statistics.hasTriplets, true);
});

Deno.test("tripletSemihard() is 0 with a zero gradient, and says so, where no two rows share an identity", async () => {
  await backends.wasm();
  const { loss, gradient, statistics } = run(tripletSemihard(), [4, 5, 6], [[1, 0], [0, 1], [1, 1]]);
  assert.equal(loss, 0);
  assert.deepEqual(gradient, [0, 0, 0, 0, 0, 0]);
  assert.equal(statistics.hasTriplets, false);
  assert.equal(statistics.activeTripletShare, 0);
});

Deno.test("tripletSemihard() says that a batch of one identity holds no triplet", async () => {
  await backends.wasm();
  assert.equal(run(tripletSemihard(), [1, 1], [[1, 0], [0, 1]]).statistics.hasTriplets, false);
});

/** The loss straight from its definition, in float64: every negative looked at, no masks. */
function definition(rows: number[][], labels: number[], distance: DistanceMetric, margin: number): number {
  const d = rows.map((a) => rows.map((b) => distanceOf(a, b, distance)));
  let sum = 0, pairs = 0;
  for (let a = 0; a < rows.length; a++) {
    for (let p = 0; p < rows.length; p++) {
      if (a === p || labels[a] !== labels[p]) continue;
      const negatives = d[a].filter((_, n) => labels[n] !== labels[a]);
      const beyond = negatives.filter((negative) => negative > d[a][p]);
      const chosen = beyond.length > 0 ? Math.min(...beyond) : Math.max(...negatives);
      sum += Math.max(0, margin + d[a][p] - chosen);
      pairs++;
    }
  }
  return sum / pairs;
}
