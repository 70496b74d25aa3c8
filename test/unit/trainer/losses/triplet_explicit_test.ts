import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { DISTANCE_METRICS, type LossStatistics, tripletExplicit } from "../../../../trainer/losses/mod.ts";
import { assertDefinedBy, backends, distanceOf, mean, randomRows, run } from "./support.ts";

Deno.test("tripletExplicit() has the gradient of its definition", async () => {
  await backends.wasm();
  const towers = randomRows(15, 4, 16), labels = [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 1, 2, 3, 4, 0];
  for (const distance of DISTANCE_METRICS) {
    const definition = (rows: number[][]) =>
      mean(Array.from({ length: 5 }, (_, i) => {
        const to = (tower: number) => distanceOf(rows[i], rows[5 * tower + i], distance);
        return Math.max(0, 0.4 + to(1) - to(2));
      }));
    assertDefinedBy(tripletExplicit({ margin: 0.4, distance }), labels, towers, definition);
  }
});

Deno.test("tripletExplicit() reports the share of active triplets", async () => {
  await backends.wasm();
  const rows = [[0], [0], [1], [1], [1.5], [5]];
  const { statistics } = run(tripletExplicit({ margin: 1 }), [0, 0, 0, 0, 1, 2], rows);
  assert.deepEqual(statistics, { activeTripletShare: 0.5, meanPairwiseDistance: 8.5 / 4, hasTriplets: true });
});

Deno.test("tripletExplicit() of no triplets is 0, and says so", async () => {
  await backends.wasm();
  let statistics: LossStatistics | undefined;
  const none = tf.zeros<tf.Rank.R2>([0, 4]);
  assert.equal(tripletExplicit()(new Int32Array(0), none, (seen) => statistics = seen).dataSync()[0], 0);
  assert.equal(statistics?.hasTriplets, false);
});

Deno.test("tripletExplicit() refuses rows that are not anchors, positives and negatives", async () => {
  await backends.wasm();
  const notThirds = [0, 1, 0, 1], positiveOfAnother = [0, 1, 0, 2, 1, 0], negativeOfItsOwn = [0, 1, 0, 1, 0, 0];
  for (const labels of [notThirds, positiveOfAnother, negativeOfItsOwn]) {
    assert.throws(() => tripletExplicit()(Int32Array.from(labels), tf.zeros([labels.length, 3])), RangeError);
  }
});
