import assert from "node:assert/strict";
import { enrolledSampler, pkSampler, shuffledSampler } from "../../../../trainer/data/sampler.ts";
import { batchesOf, countBy, LABELS, testSampler } from "./sampler_support.ts";

const OPTIONS = { identitiesPerBatch: 4, imagesPerIdentity: 3, seed: 5 };

testSampler("pkSampler", (labels, seed) => pkSampler(labels, { ...OPTIONS, seed }));

Deno.test("pkSampler() gives P identities with K images each", () => {
  const sampler = pkSampler(LABELS.slice(0, 70), OPTIONS);
  for (let step = 0; step < 50; step++) {
    const rows = sampler(step);
    assert.equal(new Set(rows).size, 12, "no image twice");
    assert.deepEqual([...countBy(rows.map((row) => LABELS[row])).values()], [3, 3, 3, 3]);
  }
});

Deno.test("pkSampler() shows every image equally often where all identities have as many", () => {
  const sampler = pkSampler(LABELS.slice(0, 60).map((_, i) => i % 10), { ...OPTIONS, identitiesPerBatch: 5 });
  const seen = countBy(batchesOf(sampler, 2 * 20).flat());
  assert.equal(seen.size, 60);
  assert.deepEqual(new Set(seen.values()), new Set([10]));
});

Deno.test("pkSampler() repeats the images of an identity that has fewer than K, but never a single image", () => {
  const sampler = pkSampler(LABELS, OPTIONS);
  const rows = batchesOf(sampler, 30);
  const few = rows.filter((batch) => batch.includes(70));
  assert(few.length > 0);
  for (const batch of few) assert.equal(batch.filter((row) => row === 70 || row === 71).length, 3);
  const single = rows.filter((batch) => batch.includes(72));
  assert(single.length > 0);
  for (const batch of single) assert.equal(batch.filter((row) => row === 72).length, 1);
});

Deno.test("pkSampler() shows identities equally often, many images or few", () => {
  const batches = batchesOf(pkSampler(LABELS, OPTIONS), 3 * 7);
  const times = countBy(batches.flatMap((rows) => [...new Set(rows.map((row) => LABELS[row]))]));
  assert.deepEqual([...times.values()], Array(12).fill(7));
});

Deno.test("pkSampler() takes all identities where there are fewer than P", () => {
  const rows = pkSampler([0, 0, 1, 1, 1], { identitiesPerBatch: 8, imagesPerIdentity: 2, seed: 1 })(3);
  assert.equal(rows.length, 4);
});

Deno.test("shuffledSampler() shows every row once a pass, in another order each time", () => {
  const sampler = shuffledSampler(60, { batchSize: 20, seed: 3 });
  const passes = [0, 3].map((first) => [0, 1, 2].flatMap((i) => sampler(first + i)));
  for (const pass of passes) assert.deepEqual(pass.toSorted((a, b) => a - b), Array.from({ length: 60 }, (_, i) => i));
  assert.notDeepEqual(passes[0], passes[1]);
  assert.deepEqual(shuffledSampler(60, { batchSize: 20, seed: 3 })(4), passes[1].slice(20, 40));
  assert.equal(shuffledSampler(5, { batchSize: 32, seed: 3 })(7).length, 5);
});

Deno.test("enrolledSampler() puts one image of the gallery among those of each identity that it knows, each in its turn", () => {
  const labels = [0, 0, 0, 1, 1, 1, 2, 2, 3, 0, 1, 1, 3];
  const photos = labels.slice(0, 9);
  const base = pkSampler(photos, { identitiesPerBatch: 4, imagesPerIdentity: 3, seed: 5 });
  const sampler = enrolledSampler(base, labels, 9);
  const shown = new Set<number>();
  for (let step = 0; step < 4; step++) {
    const rows = sampler(step);
    rows.forEach((row) => shown.add(row));
    const ofGallery = rows.filter((row) => row >= 9).map((row) => labels[row]);
    assert.deepEqual(ofGallery.sort(), [0, 1, 3]);
    assert.deepEqual([0, 1, 2, 3].map((label) => rows.filter((row) => labels[row] === label).length), [3, 3, 3, 2]);
    assert.deepEqual(rows, sampler(step));
  }
  assert.equal(shown.size, labels.length);
});

Deno.test("enrolledSampler() without a gallery leaves batches as they are", () => {
  const base = pkSampler(LABELS, OPTIONS);
  assert.deepEqual(enrolledSampler(base, LABELS, LABELS.length)(3), base(3));
});
