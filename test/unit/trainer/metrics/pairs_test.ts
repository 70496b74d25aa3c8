import assert from "node:assert/strict";
import { auc, equalErrorRate, pairDistances } from "../../../../trainer/metrics/mod.ts";
import { clusters, shuffled } from "./clusters.ts";

const images = clusters(20, 30, 8, 0.8, 51);
const all = pairDistances(images, { seed: 1 });

Deno.test("pairDistances() takes all pairs where they are few, whatever the seed and the order", () => {
  assert.equal(all.genuine.length, 20 * 30 * 29 / 2);
  assert.equal(all.impostor.length, 600 * 599 / 2 - all.genuine.length);
  assert.equal(all.sampledFrom, undefined);
  assert.deepEqual(pairDistances(images, { seed: 2 }), all);
  assert.deepEqual(pairDistances(shuffled(images, 9), { seed: 1 }), all);
});

Deno.test("pairDistances() of more pairs than asked for samples each kind, and says from how many", () => {
  const sample = pairDistances(images, { seed: 1, most: 4000 });
  assert.deepEqual(sample.sampledFrom, { genuine: all.genuine.length, impostor: all.impostor.length });
  assert.equal(sample.impostor.length, 4000);
  assert.deepEqual(sample.genuineByIdentity.map(({ length }) => length), new Array(20).fill(200));
  assert.deepEqual(pairDistances(images, { seed: 1, most: 4000 }), sample);
  assert.notDeepEqual(pairDistances(images, { seed: 2, most: 4000 }).impostor, sample.impostor);
});

Deno.test("pairDistances() samples without replacement: no distance comes oftener than there are pairs of it", () => {
  const occurring = new Set(all.impostor), sample = pairDistances(images, { seed: 3, most: 100_000 }).impostor;
  assert.equal(new Set(all.impostor).size, all.impostor.length, "the distances differ");
  assert.equal(new Set(sample).size, 100_000);
  assert.ok(sample.every((distance) => occurring.has(distance)));
});

Deno.test("pairDistances() samples early and late images alike", () => {
  // Pairs of the first 200 images lie 0 or 1 apart, pairs of the last 200 lie 0 or 2 apart: 10,000 of 1, and of 2.
  const embeddings = Float32Array.from({ length: 400 }, (_, i) => i < 200 ? i % 2 : 10 + 2 * (i % 2));
  const { impostor } = pairDistances({ embeddings, labels: embeddings.map((_, i) => i) }, { seed: 1, most: 39_900 });
  for (const distance of [1, 2]) {
    const count = impostor.filter((d) => d === distance).length;
    assert.ok(Math.abs(count - 5000) < 200, `${count} of distance ${distance}`);
  }
});

Deno.test("pairDistances() keeps all pairs of the kind that is few", () => {
  const sample = pairDistances(images, { seed: 1, most: 10_000 });
  assert.deepEqual(sample.genuine, all.genuine);
  assert.equal(sample.impostor.length, 10_000);
});

Deno.test("pairDistances() leaves no identity that has a pair out of a sample", () => {
  const labels = Int32Array.from(images.labels, (_, i) => i < 4 ? i >> 1 : 2);
  const { genuineByIdentity } = pairDistances({ ...images, labels }, { seed: 1, most: 1000 });
  assert.deepEqual(genuineByIdentity.map(({ length }) => length), [1, 1, 1000]);
});

Deno.test("a sample of pairs agrees with all of them within what chance allows", () => {
  // The standard error of a share of 20,000 is at most 0.0035.
  for (const seed of [1, 2, 3]) {
    const sample = pairDistances(clusters(10, 100, 8, 0.8, 52), { seed, most: 20_000 });
    const whole = pairDistances(clusters(10, 100, 8, 0.8, 52), { seed });
    assert.ok(Math.abs(auc(sample) - auc(whole)) < 0.01);
    assert.ok(Math.abs(equalErrorRate(sample) - equalErrorRate(whole)) < 0.01);
    for (const share of [0.1, 0.5, 0.9]) {
      const below = sample.impostor.filter((d) => d <= whole.impostor[Math.floor(share * whole.impostor.length)]);
      assert.ok(Math.abs(below.length / sample.impostor.length - share) < 0.014);
    }
  }
});
