import assert from "node:assert/strict";
import { hardClassSampler, neighboursOf } from "../../../../trainer/data/hard_class_sampler.ts";
import { pkSampler } from "../../../../trainer/data/sampler.ts";
import { batchesOf, countBy, LABELS, testSampler } from "./sampler_support.ts";

const OPTIONS = { identitiesPerBatch: 6, imagesPerIdentity: 3, seed: 5 };
const IDENTITIES = 12;

/** Embeddings that put identity `i` at the angle `2 pi i / 12` of a circle, so that each is between its neighbours. */
function onACircle(labels: number[]): Float32Array {
  return Float32Array.from(labels.flatMap((label, row) => {
    const angle = 2 * Math.PI * label / IDENTITIES;
    const radius = 1 + 0.1 * (row % 2);
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  }));
}

// More than the half of P that a batch takes.
const NEIGHBOURS = neighboursOf(onACircle(LABELS), LABELS, 5);
/** The identities of a batch, in order. */
const identitiesIn = (rows: number[]) => [...new Set(rows.map((row) => LABELS[row]))];

testSampler("hardClassSampler", (labels, seed) => hardClassSampler(labels, NEIGHBOURS, { ...OPTIONS, seed }));

Deno.test("neighboursOf() gives the other identities by the distance of their mean embeddings", () => {
  const labels = [8, 8, 5, 5, 6, 6], embeddings = Float32Array.of(-1, 3, 4, 4, 1.5, 2.5);
  assert.deepEqual(neighboursOf(embeddings, labels, 9).map((others) => [...others]), [[2, 1], [2, 0], [0, 1]]);
});

Deno.test("neighboursOf() gives as many as asked for", () => {
  assert.deepEqual(new Set(NEIGHBOURS.map((others) => others.length)), new Set([5]));
  assert.deepEqual([...NEIGHBOURS[4]].slice(0, 2).sort(), [3, 5]);
});

Deno.test("hardClassSampler() puts an identity with the nearest half of P, and others at random", () => {
  const companions = batchesOf(hardClassSampler(LABELS, NEIGHBOURS, OPTIONS), 120).map((rows) => {
    const [leader, ...others] = identitiesIn(rows);
    assert.equal(others.length, 5);
    assert.deepEqual(others.slice(0, 3), [...NEIGHBOURS[leader].subarray(0, 3)]);
    return others.slice(3).map((other) => (other - leader + IDENTITIES) % IDENTITIES);
  });
  // All but the leader and its three neighbours, which are two on one side and one on the other.
  assert.ok(new Set(companions.flat()).size >= 8);
});

Deno.test("hardClassSampler() lets every identity lead a batch equally often", () => {
  const leaders = batchesOf(hardClassSampler(LABELS, NEIGHBOURS, OPTIONS), 36).map(([row]) => LABELS[row]);
  assert.deepEqual([...countBy(leaders).values()], Array(IDENTITIES).fill(3));
});

Deno.test("hardClassSampler() gives K different images, repeats an identity's few, but never a single image", () => {
  for (const rows of batchesOf(hardClassSampler(LABELS, NEIGHBOURS, OPTIONS), 60)) {
    for (const [label, count] of countBy(rows.map((row) => LABELS[row]))) {
      const different = new Set(rows.filter((row) => LABELS[row] === label)).size;
      assert.deepEqual([count, different], label === 11 ? [1, 1] : label === 10 ? [3, 2] : [3, 3]);
    }
  }
});

Deno.test("hardClassSampler() takes all identities where there are fewer than P", () => {
  const labels = [0, 0, 1, 1, 2, 2], neighbours = neighboursOf(onACircle(labels), labels, 3);
  const rows = hardClassSampler(labels, neighbours, { identitiesPerBatch: 8, imagesPerIdentity: 2, seed: 1 })(3);
  assert.deepEqual(rows.toSorted(), [0, 1, 2, 3, 4, 5]);
});

Deno.test("hardClassSampler() gives plain PK batches while there is no embedding to go by", () => {
  const plain = pkSampler(LABELS, OPTIONS);
  assert.deepEqual(batchesOf(hardClassSampler(LABELS, undefined, OPTIONS), 9), batchesOf(plain, 9));
});
