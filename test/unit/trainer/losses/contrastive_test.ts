import assert from "node:assert/strict";
import { contrastive, DISTANCE_METRICS } from "../../../../trainer/losses/mod.ts";
import { assertDefinedBy, backends, distanceOf, mean, positivesAndNegatives, randomRows, run } from "./support.ts";

Deno.test("contrastive() has the gradient of its definition", async () => {
  await backends.wasm();
  const rows = randomRows(10, 4, 9), labels = rows.map((_, i) => i % 3);
  for (const distance of DISTANCE_METRICS) {
    const definition = (moved: number[][]) => {
      const pull: number[] = [], push: number[] = [];
      moved.forEach((anchor, i) => {
        const { positives, negatives } = positivesAndNegatives(labels, i);
        pull.push(...positives.map((k) => distanceOf(anchor, moved[k], distance) - 0.2));
        push.push(...negatives.map((k) => 1.1 - distanceOf(anchor, moved[k], distance)));
      });
      return mean(pull.filter((v) => v > 0)) + mean(push.filter((v) => v > 0));
    };
    assertDefinedBy(contrastive({ margin: 1.1, positiveMargin: 0.2, distance }), labels, rows, definition);
  }
});

Deno.test("contrastive() reports the share of different identities nearer than the margin", async () => {
  await backends.wasm();
  const { statistics } = run(contrastive({ margin: 1 }), [0, 0, 1], [[0], [1], [1.5]]);
  assert.deepEqual([statistics.activeTripletShare, statistics.hasTriplets], [0.5, true]);
  assert.ok(Math.abs(statistics.meanPairwiseDistance - 1) < 1e-6);
});

Deno.test("contrastive() learns from a batch of one identity, but not from a single row", async () => {
  await backends.wasm();
  assert.equal(run(contrastive(), [1, 1], [[0], [2]]).statistics.hasTriplets, true);
  assert.equal(run(contrastive(), [1], [[0]]).statistics.hasTriplets, false);
});
