import assert from "node:assert/strict";
import { DataError } from "../../../../shared/errors.ts";
import { galleryProbe, type Labelled, leaveOneOut, type Retrieval } from "../../../../trainer/metrics/mod.ts";
import { clusters, shuffled } from "./clusters.ts";
import { goldenSets } from "./golden.ts";

Deno.test("leaveOneOut() equals pytorch-metric-learning and scikit-learn", () => {
  for (const set of goldenSets) {
    const images = { embeddings: Float32Array.from(set.embeddings), labels: set.labels };
    assertFigures(leaveOneOut(images), set.leaveOneOut);
  }
});

Deno.test("galleryProbe() equals pytorch-metric-learning and scikit-learn", () => {
  for (const set of goldenSets) {
    const gallery = select(set, (i) => set.inGallery[i] === 1), probes = select(set, (i) => set.inGallery[i] === 0);
    assertFigures(galleryProbe(gallery, probes), set.galleryProbe);
  }
});

Deno.test("retrieval of one image worked out by hand", () => {
  // From image 0 of identity 7: 8, 7, 8, 7 in order of distance; two of its identity, so R is 2.
  const gallery = { embeddings: Float32Array.of(1, 2, 3, 4), labels: [8, 7, 8, 7] };
  const figures = galleryProbe(gallery, { embeddings: Float32Array.of(0), labels: [7] }, [1, 2]);
  assert.deepEqual(figures, { recallAt: { 1: 0, 2: 1 }, rPrecision: 1 / 2, mapAtR: 1 / 4, queries: 1 });
});

Deno.test("retrieval does not depend on the order of the images", () => {
  const images = clusters(12, 5, 8, 0.7, 3);
  const before = leaveOneOut(images), after = leaveOneOut(shuffled(images, 11));
  assert.deepEqual(after.recallAt, before.recallAt);
  assert.ok(Math.abs(after.mapAtR - before.mapAtR) < 1e-12);
  assert.ok(Math.abs(after.rPrecision - before.rPrecision) < 1e-12);
});

Deno.test("retrieval in perfect clusters is 1", () => {
  const { recallAt, rPrecision, mapAtR } = leaveOneOut(clusters(9, 4, 16, 0.01, 5));
  assert.deepEqual([recallAt[1], recallAt[5], rPrecision, mapAtR], [1, 1, 1, 1]);
});

Deno.test("retrieval in noise is about chance", () => {
  // 9 of the other 199 images are of the query's identity.
  const { recallAt } = leaveOneOut(clusters(20, 10, 32, 1000, 6));
  assert.ok(Math.abs(recallAt[1] - 9 / 199) < 0.05, `${recallAt[1]}`);
});

Deno.test("retrieval in an embedding collapsed to a point is 0, not luck", () => {
  const labels = Int32Array.from({ length: 40 }, (_, i) => i >> 3);
  const { recallAt, mapAtR } = leaveOneOut({ embeddings: new Float32Array(40 * 4).fill(0.5), labels });
  assert.deepEqual([recallAt[1], recallAt[5], mapAtR], [0, 0, 0]);
});

Deno.test("retrieval leaves out queries that have nothing to find, and counts them as distractors", () => {
  const images = { embeddings: Float32Array.of(0, 1, 0.4, 9), labels: [1, 1, 2, 3] };
  const { queries, recallAt } = leaveOneOut(images);
  assert.equal(queries, 2);
  assert.deepEqual(recallAt, { 1: 0, 5: 1 });
});

Deno.test("retrieval without any answer to find is a DataError", () => {
  assert.throws(() => leaveOneOut({ embeddings: Float32Array.of(0, 1), labels: [1, 2] }), DataError);
  const one = { embeddings: Float32Array.of(0), labels: [1] }, other = { embeddings: Float32Array.of(0), labels: [2] };
  assert.throws(() => galleryProbe(one, other), DataError);
});

Deno.test("retrieval of embeddings that are not finite is a DataError that names the image", () => {
  const images = { embeddings: Float32Array.of(0, 1, 2, NaN), labels: [1, 1] };
  assert.throws(() => leaveOneOut(images), (error) => error instanceof DataError && /image 1 /.test(error.message));
});

function select(set: { embeddings: number[]; labels: number[] }, keep: (i: number) => boolean): Labelled {
  const dimensions = set.embeddings.length / set.labels.length;
  return {
    embeddings: Float32Array.from(set.embeddings.filter((_, at) => keep(Math.floor(at / dimensions)))),
    labels: set.labels.filter((_, i) => keep(i)),
  };
}

function assertFigures(actual: Retrieval, expected: (typeof goldenSets)[number]["leaveOneOut"]): void {
  assert.equal(actual.queries, expected.queries);
  const pairs = [
    [actual.recallAt[1], expected.recallAt1],
    [actual.recallAt[5], expected.recallAt5],
    [actual.rPrecision, expected.rPrecision],
    [actual.mapAtR, expected.mapAtR],
  ];
  for (const [value, figure] of pairs) assert.ok(Math.abs(value - figure) < 1e-9, `${value} instead of ${figure}`);
}
