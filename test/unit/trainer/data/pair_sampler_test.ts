import assert from "node:assert/strict";
import { pairSampler } from "../../../../trainer/data/pair_sampler.ts";
import { batchesOf, countBy, LABELS, testSampler } from "./sampler_support.ts";

testSampler("pairSampler", (labels, seed) => pairSampler(labels, { batchSize: 8, seed }));

Deno.test("pairSampler() gives as many genuine as impostor pairs, all of two different images", () => {
  for (const rows of batchesOf(pairSampler(LABELS, { batchSize: 8, seed: 1 }), 60)) {
    assert.equal(rows.length, 16);
    const first = rows.slice(0, 8), second = rows.slice(8);
    assert.ok(first.every((row, i) => row !== second[i]));
    assert.equal(first.filter((row, i) => LABELS[row] === LABELS[second[i]]).length, 4);
  }
});

Deno.test("pairSampler() gives an odd number of pairs half of either kind over two batches", () => {
  const sampler = pairSampler(LABELS, { batchSize: 3, seed: 1 });
  const genuine = [0, 1].map((step) => {
    const rows = sampler(step);
    return rows.slice(0, 3).filter((row, i) => LABELS[row] === LABELS[rows[3 + i]]).length;
  });
  assert.deepEqual(genuine, [2, 1]);
});

Deno.test("pairSampler() makes genuine pairs of all identities with two images equally often, many images or few", () => {
  const batches = batchesOf(pairSampler(LABELS, { batchSize: 2, seed: 1 }), 33);
  const genuine = countBy(batches.map(([first, , second]) => {
    assert.equal(LABELS[first], LABELS[second]);
    return LABELS[first];
  }));
  assert.equal(genuine.size, 11, "the identity with a single image has none");
  assert.deepEqual(new Set(genuine.values()), new Set([3]));
});

Deno.test("pairSampler() makes impostor pairs of all identities, those with a single image too, equally often", () => {
  const batches = batchesOf(pairSampler(LABELS, { batchSize: 2, seed: 1 }), 36);
  const impostors = countBy(batches.map(([, first, , second]) => {
    assert.notEqual(LABELS[first], LABELS[second]);
    return LABELS[first];
  }));
  assert.deepEqual([...impostors.values()], Array(12).fill(3));
});
