import assert from "node:assert/strict";
import { DataError } from "../../../../shared/errors.ts";
import { galleryProbe, type Labelled, leaveOneOut, type Retrieval } from "../../../../trainer/metrics/mod.ts";
import { randomStream } from "../../../../trainer/random.ts";
import { clusters, shuffled } from "./clusters.ts";
import { goldenSets } from "./golden.ts";

Deno.test("leaveOneOut() equals pytorch-metric-learning and scikit-learn", () => {
  for (const set of goldenSets) {
    const images = { embeddings: Float32Array.from(set.embeddings), labels: set.labels };
    assertFigures(leaveOneOut(images, [1, 5, 10]), set.leaveOneOut);
  }
});

Deno.test("galleryProbe() equals pytorch-metric-learning and scikit-learn", () => {
  for (const set of goldenSets) {
    const gallery = select(set, (i) => set.inGallery[i] === 1), probes = select(set, (i) => set.inGallery[i] === 0);
    assertFigures(galleryProbe(gallery, probes, [1, 5, 10]), set.galleryProbe);
  }
});

Deno.test("retrieval of one image worked out by hand", () => {
  // From image 0 of identity 7: 8, 7, 8, 7 in order of distance; two of its identity, so R is 2.
  const gallery = { embeddings: Float32Array.of(1, 2, 3, 4), labels: [8, 7, 8, 7] };
  const { neighbours, ...figures } = galleryProbe(gallery, { embeddings: Float32Array.of(0), labels: [7] }, [1, 2]);
  assert.deepEqual(figures, { recallAt: { 1: 0, 2: 1 }, rPrecision: 1 / 2, mapAtR: 1 / 4, queries: 1 });
  const [right, wrong] = [{ row: 1, distance: 2 }, { row: 0, distance: 1 }];
  assert.deepEqual(neighbours, [{ query: 0, right, wrong, found: false }]);
});

for (
  const [what, images] of [
    ["clusters", clusters(7, 9, 5, 0.9, 31)],
    ["rows on a grid, which tie and coincide", grid(60, 5)],
    ["identities of one to many images", {
      ...grid(55, 9),
      labels: Array.from({ length: 55 }, (_, i) => Math.floor(Math.sqrt(i))),
    }],
    ["an odd number of rows of one dimension", { embeddings: Float32Array.of(3, 3, 1, 2, 2), labels: [0, 0, 0, 1, 1] }],
  ] as const
) {
  Deno.test(`retrieval of ${what} is what sorting all images says`, () => {
    const { neighbours, ...figures } = leaveOneOut(images, [1, 5, 10]);
    assertClose(figures, bySorting(images, images, true));
    const query = images.labels.length - 1, nearest = neighbours[query];
    for (const [found, same] of [[nearest.right, true], [nearest.wrong, false]] as const) {
      const distances = Array.from(images.labels, (label, row) => ({ label, row }))
        .filter(({ label, row }) => row !== query && (label === images.labels[query]) === same)
        .map(({ row }) => distance(images, query, images, row));
      assert.equal(found?.distance, distances.length > 0 ? Math.min(...distances) : undefined);
    }
    const gallery = half(images, 0), probes = half(images, 1);
    const { neighbours: _, ...inGallery } = galleryProbe(gallery, probes, [1, 5, 10]);
    assertClose(inGallery, bySorting(gallery, probes, false));
  });
}

Deno.test("the share of neighbours found among the mated is recall@1, on a grid too", () => {
  const { neighbours, recallAt, queries } = leaveOneOut(grid(80, 6));
  assert.equal(neighbours.filter(({ right }) => right).length, queries);
  assert.equal(neighbours.filter(({ found }) => found).length / queries, recallAt[1]);
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

/** Rows of three small whole numbers, so that many distances tie and some rows are equal. */
function grid(images: number, identities: number): Labelled {
  const random = randomStream(5, "grid");
  const embeddings = Float32Array.from({ length: images * 3 }, () => Math.floor(3 * random()));
  return { embeddings, labels: Array.from({ length: images }, (_, i) => i % identities) };
}

function half(images: Labelled, parity: number): Labelled {
  return select({ embeddings: [...images.embeddings], labels: Array.from(images.labels) }, (i) => i % 2 === parity);
}

function distance(a: Labelled, i: number, b: Labelled, j: number): number {
  const dimensions = a.embeddings.length / a.labels.length;
  let squared = 0;
  for (let d = 0; d < dimensions; d++) {
    squared += (a.embeddings[i * dimensions + d] - b.embeddings[j * dimensions + d]) ** 2;
  }
  return Math.sqrt(squared);
}

/** The definitions, word for word: sort the gallery by distance, others first, and walk down. */
function bySorting(gallery: Labelled, probes: Labelled, skipSelf: boolean): Omit<Retrieval, "neighbours"> {
  const each = Array.from(
    probes.labels,
    (label, probe) =>
      Array.from(
        gallery.labels,
        (other, row) => ({ same: other === label, row, at: distance(probes, probe, gallery, row) }),
      )
        .filter(({ row }) => !skipSelf || row !== probe)
        .sort((a, b) => a.at - b.at || Number(a.same) - Number(b.same))
        .map(({ same }) => same),
  ).filter((ranked) => ranked.includes(true));
  const mean = (figure: (ranked: boolean[], relevant: number) => number) =>
    each.reduce((sum, ranked) => sum + figure(ranked, ranked.filter(Boolean).length), 0) / each.length;
  const precision = (ranked: boolean[], k: number) => ranked.slice(0, k).filter(Boolean).length / k;
  return {
    recallAt: Object.fromEntries(
      [1, 5, 10].map((k) => [k, mean((ranked) => Number(ranked.slice(0, k).includes(true)))]),
    ),
    rPrecision: mean(precision),
    mapAtR: mean((ranked, relevant) =>
      ranked.slice(0, relevant).reduce((sum, same, i) => sum + (same ? precision(ranked, i + 1) : 0), 0) / relevant
    ),
    queries: each.length,
  };
}

function assertClose(actual: Omit<Retrieval, "neighbours">, expected: Omit<Retrieval, "neighbours">): void {
  assert.deepEqual(actual.recallAt, expected.recallAt);
  assert.equal(actual.queries, expected.queries);
  assert.ok(Math.abs(actual.rPrecision - expected.rPrecision) < 1e-12);
  assert.ok(Math.abs(actual.mapAtR - expected.mapAtR) < 1e-12);
}

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
    [actual.recallAt[10], expected.recallAt10],
    [actual.rPrecision, expected.rPrecision],
    [actual.mapAtR, expected.mapAtR],
  ];
  for (const [value, figure] of pairs) assert.ok(Math.abs(value - figure) < 1e-9, `${value} instead of ${figure}`);
}
