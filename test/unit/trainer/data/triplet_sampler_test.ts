import assert from "node:assert/strict";
import { tripletSampler } from "../../../../trainer/data/triplet_sampler.ts";
import { batchesOf, countBy, LABELS, testSampler } from "./sampler_support.ts";

testSampler("tripletSampler", (labels, seed) => tripletSampler(labels, { batchSize: 8, seed }));

Deno.test("tripletSampler() gives anchors, other images of their identities, and images of other identities", () => {
  for (const rows of batchesOf(tripletSampler(LABELS, { batchSize: 8, seed: 1 }), 60)) {
    assert.equal(rows.length, 24);
    for (let i = 0; i < 8; i++) {
      const [anchor, positive, negative] = [rows[i], rows[8 + i], rows[16 + i]];
      assert.notEqual(anchor, positive);
      assert.equal(LABELS[anchor], LABELS[positive]);
      assert.notEqual(LABELS[anchor], LABELS[negative]);
    }
  }
});

Deno.test("tripletSampler() takes the anchors of all identities with two images equally often, many images or few", () => {
  const batches = batchesOf(tripletSampler(LABELS, { batchSize: 8, seed: 1 }), 11);
  const anchors = countBy(batches.flatMap((rows) => rows.slice(0, 8)).map((row) => LABELS[row]));
  assert.deepEqual([...anchors.keys()].sort((a, b) => a - b), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.deepEqual(new Set(anchors.values()), new Set([8]));
});

Deno.test("tripletSampler() takes negatives of all other identities, many images or few", () => {
  const batches = batchesOf(tripletSampler(LABELS, { batchSize: 8, seed: 1 }), 300);
  const negatives = countBy(batches.flatMap((rows) => rows.slice(16)).map((row) => LABELS[row]));
  for (let label = 0; label < 12; label++) {
    const times = negatives.get(label)!;
    assert.ok(Math.abs(times - 200) < 60, `identity ${label} is the negative of ${times} of 2400 triplets`);
  }
});

Deno.test("tripletSampler() needs no more than three images", () => {
  const rows = tripletSampler([4, 9, 4], { batchSize: 2, seed: 1 })(0);
  assert.deepEqual([rows[0] + rows[2], rows[1] + rows[3], rows[4], rows[5]], [2, 2, 1, 1]);
});
