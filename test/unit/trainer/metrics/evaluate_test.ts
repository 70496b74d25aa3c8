import assert from "node:assert/strict";
import { Calibration, Evaluation, Threshold } from "../../../../shared/card.ts";
import { DataError } from "../../../../shared/errors.ts";
import {
  bootstrapRatio,
  evaluateEmbeddings,
  evaluateInGallery,
  falseMatchRate,
  type Labelled,
  pairDistances,
} from "../../../../trainer/metrics/mod.ts";
import { clusters, shuffled } from "./clusters.ts";

const evaluate = ({ embeddings, labels }: Labelled, seed = 1) => evaluateEmbeddings(embeddings, labels, { seed });

Deno.test("evaluateEmbeddings() gives what the card's schemas take", () => {
  const { evaluation, thresholds, calibration } = evaluate(clusters(20, 10, 16, 0.8, 21));
  Evaluation.parse(evaluation);
  thresholds.forEach((threshold) => Threshold.parse(threshold));
  Calibration.parse(calibration);
  assert.equal(evaluation.identities, 20);
  assert.equal(evaluation.images, 200);
  assert.deepEqual(Object.keys(evaluation.tarAtFar).sort(), thresholds.map(({ fmr }) => String(fmr)).sort());
});

Deno.test("evaluateEmbeddings() claims no threshold that fewer than 30 false matches would show", () => {
  // 19,000 impostor pairs reach down to 1.6e-3, 43,500 to 0.7e-3.
  const small = evaluate(clusters(20, 10, 16, 0.8, 22));
  assert.equal(small.impostor.pairs, 19_000);
  assert.deepEqual(small.thresholds.map(({ fmr }) => fmr), [0.01, 0.1]);
  const large = evaluate(clusters(30, 10, 16, 0.8, 22));
  assert.equal(large.impostor.pairs, 43_500);
  assert.deepEqual(large.thresholds.map(({ fmr }) => fmr), [0.001, 0.01, 0.1]);
});

Deno.test("evaluateEmbeddings() of a set that supports none of the rates claims the lowest that it supports", () => {
  const { thresholds, impostor } = evaluate(clusters(4, 5, 8, 0.5, 23));
  assert.equal(impostor.pairs, 150);
  assert.deepEqual(thresholds.map(({ fmr }) => fmr), [0.2]);
});

Deno.test("evaluateEmbeddings() calibrates from 30 false matches up to 1, exactly and through the thresholds", () => {
  const images = clusters(30, 10, 16, 0.8, 24);
  const { thresholds, calibration: { distance, fmr }, impostor } = evaluate(images);
  const pairs = pairDistances(images, { seed: 1 });
  assert.ok(Math.abs(fmr[0] - 30 / impostor.pairs) < 1e-12);
  assert.equal(fmr.at(-1), 1);
  assert.ok(distance.length >= 60 && distance.length <= 70);
  for (let i = 1; i < distance.length; i++) assert.ok(distance[i] > distance[i - 1] && fmr[i] >= fmr[i - 1]);
  distance.forEach((d, i) => assert.equal(fmr[i], falseMatchRate(pairs, d)));
  for (const threshold of thresholds) {
    const there = fmr[distance.indexOf(threshold.distance)];
    assert.ok(there <= threshold.fmr && there > threshold.fmr - 1 / impostor.pairs - 1e-12);
  }
});

Deno.test("evaluateEmbeddings() depends on neither the order of the images nor anything but its seed", () => {
  const images = clusters(15, 6, 8, 0.7, 25);
  const before = evaluate(images), after = evaluate(shuffled(images, 4)), other = evaluate(images, 2);
  assert.deepEqual(after.thresholds, before.thresholds);
  assert.deepEqual(after.calibration, before.calibration);
  assert.equal(after.evaluation.recallAt1, before.evaluation.recallAt1);
  assert.equal(after.evaluation.eer, before.evaluation.eer);
  assert.notDeepEqual(other.thresholds, before.thresholds);
  assert.deepEqual(other.thresholds.map(({ distance }) => distance), before.thresholds.map(({ distance }) => distance));
});

Deno.test("evaluateEmbeddings() puts the rejection rate inside its interval", () => {
  for (const { fnmr, fnmrLow, fnmrHigh } of evaluate(clusters(20, 10, 16, 0.9, 26)).thresholds) {
    assert.ok(0 < fnmrLow && fnmrLow < fnmr && fnmr < fnmrHigh && fnmrHigh < 1);
  }
});

Deno.test("evaluateEmbeddings() is no less sure of a looser threshold: where no pair is rejected, the bound does not rise", () => {
  const { thresholds } = evaluate(clusters(40, 10, 128, 1, 28));
  assert.ok(thresholds[0].fnmr > 0 && thresholds[1].fnmr === 0);
  assert.ok(thresholds[1].fnmrHigh <= thresholds[0].fnmrHigh && thresholds[1].fnmrHigh > 0);
});

Deno.test("evaluateEmbeddings() of perfect clusters rejects nobody, and does not claim to know that it never will", () => {
  const { evaluation, thresholds } = evaluate(clusters(20, 5, 16, 0.01, 27));
  assert.deepEqual([evaluation.recallAt1, evaluation.mapAtR, evaluation.auc, evaluation.eer], [1, 1, 1, 0]);
  for (const { fnmr, fnmrLow, fnmrHigh } of thresholds) {
    assert.deepEqual([fnmr, fnmrLow], [0, 0]);
    assert.ok(Math.abs(fnmrHigh - 0.1684) < 1e-4, "Clopper and Pearson: 0 of 20");
  }
});

Deno.test("evaluateEmbeddings() hands on what it judged by: neighbours, pairs and identification", () => {
  const images = clusters(30, 10, 16, 0.9, 29);
  const { evaluation, neighbours, pairs, identification } = evaluate(images);
  assert.equal(neighbours.filter(({ found }) => found).length / 300, evaluation.recallAt1);
  assert.deepEqual(pairs, pairDistances(images, { seed: 1 }));
  assert.deepEqual(identification.at.map(({ fpir }) => fpir), [0.1]);
  assert.equal(identification.galleryIdentities, 29);
  const { recallAt1, recallAt5, recallAt10, nmi } = evaluation;
  assert.ok(recallAt1 < recallAt5 && recallAt5 < recallAt10! && recallAt10! <= 1);
  assert.ok(nmi! > 0.5 && nmi! < 1);
});

Deno.test("an evaluation of before recall@10 and NMI is read still", () => {
  const { recallAt10: _, nmi: __, ...older } = evaluate(clusters(20, 5, 16, 0.5, 30)).evaluation;
  assert.deepEqual(Evaluation.parse(older), older);
});

Deno.test("evaluateEmbeddings() says that it judged a sample where it did", () => {
  // 2 identities of 2,050 images: 4,202,500 impostor pairs and 4,200,450 genuine ones.
  const { evaluation, impostor, genuine } = evaluate(clusters(2, 2050, 2, 0.5, 32));
  assert.deepEqual([genuine.pairs, impostor.pairs], [4_000_000, 4_000_000]);
  assert.match(evaluation.protocol, /a random sample of 4200450 and 4202500, seed 1/);
  assert.doesNotMatch(evaluate(clusters(20, 5, 16, 0.5, 30)).evaluation.protocol, /sample/);
});

Deno.test("evaluateInGallery() judges the probes by the gallery, and strangers by identification alone", () => {
  const gallery = clusters(40, 1, 16, 0, 33), { embeddings, labels } = clusters(40, 8, 16, 0.5, 33);
  const probes = { embeddings, labels: Array.from(labels, (label) => label < 4 ? 1000 + label : label) };
  const judged = evaluateInGallery(gallery, probes);
  assert.deepEqual([judged.identities, judged.galleryImages, judged.probes], [40, 40, 320]);
  assert.deepEqual([judged.identification.probes, judged.identification.mated], [320, 288]);
  const found = judged.neighbours.filter(({ found }) => found).length;
  assert.equal(judged.recallAt1, found / 288);
  assert.equal(judged.mapAtR, judged.recallAt1, "one image an identity: R is 1");
  assert.ok(0 < judged.recallAt1 && judged.recallAt1 < judged.recallAt5 && judged.recallAt5 <= judged.recallAt10);
});

Deno.test("evaluateInGallery() without any identity in common is a DataError", () => {
  const { embeddings, labels } = clusters(4, 2, 4, 0.1, 34);
  const strangers = { embeddings, labels: Array.from(labels, (label) => label + 10) };
  assert.throws(() => evaluateInGallery({ embeddings, labels }, strangers), DataError);
});

for (
  const [what, images, sentence] of [
    ["one identity", clusters(1, 5, 4, 0.5, 1), /at least 2/],
    ["no two images of an identity", clusters(20, 1, 4, 0.5, 1), /No identity has two images/],
    ["fewer than 60 impostor pairs", clusters(3, 3, 4, 0.5, 1), /27 pairs of different identities.*at least 60/],
    ["an embedding collapsed to a point", clusters(1, 60, 4, 0, 1), /collapsed/],
  ] as const
) {
  Deno.test(`evaluateEmbeddings() of ${what} is a DataError that says so`, () => {
    const collapsed = what.includes("collapsed");
    const labels = collapsed ? Int32Array.from(images.labels, (_, i) => i % 6) : images.labels;
    assert.throws(
      () => evaluate({ embeddings: images.embeddings, labels }),
      (error) => error instanceof DataError && sentence.test(error.message),
    );
  });
}

Deno.test("bootstrapRatio() covers the true ratio of grouped trials about 95 times of 100", () => {
  // Groups of 10 trials whose chance of success differs from group to group: mean 0.3.
  let seed = 12345;
  const random = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 4294967296;
  let covered = 0;
  for (let experiment = 0; experiment < 300; experiment++) {
    const successes = Array.from({ length: 40 }, () => {
      const chance = 0.6 * random();
      return Array.from({ length: 10 }, random).filter((u) => u < chance).length;
    });
    const { low, high } = bootstrapRatio(successes, successes.map(() => 10), { seed: experiment, resamples: 500 });
    if (low <= 0.3 && 0.3 <= high) covered++;
  }
  assert.ok(covered / 300 > 0.9 && covered / 300 < 0.99, `${covered} of 300`);
});

Deno.test("evaluateEmbeddings() counts an image without embedding as an error in recall and in its genuine pairs", () => {
  const labels = Array.from({ length: 40 }, (_, i) => Math.floor(i / 4));
  const embeddings = Float32Array.from(labels.flatMap((label, i) => [Math.cos(label), Math.sin(label) + i * 1e-4]));
  const all = evaluateEmbeddings(embeddings, labels, { seed: 1 });
  assert.equal(all.evaluation.recallAt1, 1);
  const some = evaluateEmbeddings(embeddings, labels, { seed: 1, missed: [0, 5] });
  assert.equal(some.evaluation.images, 42);
  assert.ok(Math.abs(some.evaluation.recallAt1 - 40 / 42) < 1e-9);
  // Four genuine pairs of each of the two, among 68.
  assert.equal(some.pairs.genuine.filter((distance) => distance === Infinity).length, 8);
  assert.equal(some.pairs.genuine.length, 68);
  assert.equal(some.pairs.impostor.length, 42 * 41 / 2 - 68);
  assert.ok(some.thresholds.every(({ fnmr, distance }) => fnmr >= 8 / 68 && Number.isFinite(distance)));
  assert.ok(some.evaluation.eer > all.evaluation.eer);
  assert.ok([...some.calibration.distance, some.genuine.max, some.impostor.mean].every(Number.isFinite));
});
