import assert from "node:assert/strict";
import { clusteringFigures, kMeans, normalizedMutualInformation } from "../../../../trainer/metrics/mod.ts";
import { clusters, shuffled } from "./clusters.ts";
import { goldenClustering } from "./golden.ts";

Deno.test("normalizedMutualInformation() equals scikit-learn", () => {
  for (const { a, b, nmi } of goldenClustering.nmi) {
    assert.ok(Math.abs(normalizedMutualInformation(a, b) - nmi) < 1e-12, `${nmi}`);
  }
});

Deno.test("normalizedMutualInformation() of labellings that differ in names alone is 1 to the bit", () => {
  const { labels } = shuffled(clusters(13, 7, 2, 1, 1), 3);
  assert.equal(normalizedMutualInformation(labels, Array.from(labels, (label) => 100 - 7 * label)), 1);
});

Deno.test("normalizedMutualInformation() is symmetric", () => {
  const [{ a, b }] = goldenClustering.nmi;
  assert.equal(normalizedMutualInformation(a, b), normalizedMutualInformation(b, a));
});

Deno.test("kMeans() finds the clusters that scikit-learn finds", () => {
  for (const { rows, k, labels, inertia, nmi } of goldenClustering.kMeans) {
    const found = kMeans({ values: Float64Array.from(rows.flat()), dimensions: rows[0].length }, k, {
      seed: 1,
      restarts: 10,
    });
    assert.ok(Math.abs(found.inertia / inertia - 1) < 1e-9, `${found.inertia} instead of ${inertia}`);
    assert.ok(Math.abs(normalizedMutualInformation(labels, found.assignment) - nmi) < 1e-12);
  }
});

Deno.test("kMeans() gives the same clusters for the same seed, and each row to its nearest centre", () => {
  const { embeddings, labels } = clusters(6, 20, 3, 0.6, 41);
  const rows = { values: Float64Array.from(embeddings), dimensions: 3 };
  const { assignment, inertia } = kMeans(rows, 6, { seed: 4 });
  assert.deepEqual(kMeans(rows, 6, { seed: 4 }).assignment, assignment);
  const centres = Array.from({ length: 6 }, (_, cluster) => {
    const members = Array.from(labels, (_, i) => i).filter((i) => assignment[i] === cluster);
    return [0, 1, 2].map((d) => members.reduce((sum, i) => sum + embeddings[3 * i + d], 0) / members.length);
  });
  const squared = (i: number, centre: number[]) =>
    centre.reduce((sum, c, d) => sum + (embeddings[3 * i + d] - c) ** 2, 0);
  let total = 0;
  assignment.forEach((cluster, i) => {
    const own = squared(i, centres[cluster]);
    total += own;
    for (const centre of centres) assert.ok(own <= squared(i, centre) + 1e-12);
  });
  assert.ok(Math.abs(total - inertia) < 1e-9);
});

Deno.test("kMeans() takes rows that are all equal, and as many clusters as rows", () => {
  const equal = { values: new Float64Array(12).fill(0.5), dimensions: 2 };
  assert.deepEqual(kMeans(equal, 3, { seed: 1 }), { assignment: new Int32Array(6), inertia: 0 });
  const apart = kMeans({ values: Float64Array.of(1, 2, 3, 4), dimensions: 1 }, 4, { seed: 1 });
  assert.equal(new Set(apart.assignment).size, 4);
  assert.equal(apart.inertia, 0);
});

Deno.test("clusteringFigures() of well-separated identities is 1, of a collapsed embedding 0", () => {
  const images = clusters(12, 8, 16, 0.05, 42);
  assert.deepEqual(clusteringFigures(images, { seed: 1 }), { nmi: 1, clusters: 12, images: 96 });
  const collapsed = { ...images, embeddings: new Float32Array(images.embeddings.length).fill(0.25) };
  assert.equal(clusteringFigures(collapsed, { seed: 1 }).nmi, 0);
});

Deno.test("clusteringFigures() of more images or identities than it clusters draws some, and says how many", () => {
  const images = clusters(3, 2000, 2, 0.02, 43);
  assert.deepEqual(clusteringFigures(images, { seed: 1 }), { nmi: 1, clusters: 3, images: 5000 });
  const identities = clusters(520, 2, 8, 0.001, 44), figures = clusteringFigures(identities, { seed: 1 });
  assert.deepEqual([figures.clusters, figures.images], [500, 1000]);
  assert.ok(figures.nmi > 0.95 && figures.nmi <= 1, `${figures.nmi}`);
});
