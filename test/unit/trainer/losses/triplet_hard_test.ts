import assert from "node:assert/strict";
import { DISTANCE_METRICS, tripletHard } from "../../../../trainer/losses/mod.ts";
import { assertDefinedBy, backends, distanceOf, mean, positivesAndNegatives, randomRows, run } from "./support.ts";

for (const soft of [false, true]) {
  Deno.test(`tripletHard() with ${soft ? "a soft" : "a hard"} margin has the gradient of its definition`, async () => {
    await backends.wasm();
    const rows = randomRows(12, 5, 7), labels = rows.map((_, i) => i % 4);
    for (const distance of DISTANCE_METRICS) {
      const definition = (moved: number[][]) =>
        mean(moved.map((anchor, i) => {
          const { positives, negatives } = positivesAndNegatives(labels, i);
          const to = (k: number) => distanceOf(anchor, moved[k], distance);
          const excess = Math.max(...positives.map(to)) - Math.min(...negatives.map(to));
          return soft ? Math.log(1 + Math.exp(excess)) : Math.max(0, 0.3 + excess);
        }));
      assertDefinedBy(tripletHard({ margin: 0.3, soft, distance }), labels, rows, definition);
    }
  });
}

Deno.test("tripletHard() reports the share of active anchors", async () => {
  await backends.wasm();
  const rows = [[0], [1], [1.5], [9], [10]], labels = [0, 0, 1, 2, 2];
  const hard = run(tripletHard({ margin: 1 }), labels, rows).statistics;
  // Row 0 has its positive at 1 and its negative at 1.5, row 1 at 1 and 0.5; rows 3 and 4 are content; row 2 is alone.
  assert.deepEqual([hard.activeTripletShare, hard.hasTriplets], [2 / 4, true]);
  assert.ok(Math.abs(hard.meanPairwiseDistance - 5.6) < 1e-6);
  assert.equal(run(tripletHard({ soft: true }), labels, rows).statistics.activeTripletShare, 1 / 4);
});

Deno.test("tripletHard() with a soft margin is finite for distances whose exponential is not", async () => {
  await backends.wasm();
  const { loss, gradient } = run(tripletHard({ soft: true }), [0, 0, 1], [[0], [1000], [1]]);
  assert.ok(Number.isFinite(loss) && loss > 300);
  assert.ok(gradient.every(Number.isFinite));
});

Deno.test("tripletHard() says that a batch of one identity, or of none twice, holds no triplet", async () => {
  await backends.wasm();
  for (const labels of [[1, 1, 1], [1, 2, 3]]) {
    const { statistics } = run(tripletHard(), labels, [[1, 0], [0, 1], [1, 1]]);
    assert.deepEqual([statistics.hasTriplets, statistics.activeTripletShare], [false, 0]);
  }
});
