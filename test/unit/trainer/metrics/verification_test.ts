import assert from "node:assert/strict";
import {
  auc,
  distanceAtFmr,
  equalErrorRate,
  falseMatchRate,
  falseNonMatchRate,
  pairDistances,
  type Pairs,
} from "../../../../trainer/metrics/mod.ts";
import { clusters } from "./clusters.ts";
import { goldenSets } from "./golden.ts";

Deno.test("verification equals scikit-learn and SciPy: pairs, AUC, EER and TAR at FAR", () => {
  for (const { embeddings, labels, verification } of goldenSets) {
    const pairs = pairDistances({ embeddings: Float32Array.from(embeddings), labels }, { seed: 1 });
    assert.equal(pairs.genuine.length, verification.genuine);
    assert.equal(pairs.impostor.length, verification.impostor);
    assert.ok(Math.abs(auc(pairs) - verification.auc) < 1e-9);
    assert.ok(Math.abs(equalErrorRate(pairs) - verification.eer) < 1e-9);
    for (const [far, tar] of Object.entries(verification.tarAtFar)) {
      const distance = distanceAtFmr(pairs, Number(far));
      assert.ok(distance !== undefined);
      assert.ok(Math.abs(1 - falseNonMatchRate(pairs, distance) - tar) < 1e-9, `TAR at ${far}`);
    }
  }
});

Deno.test("auc() counts a tie half", () => {
  assert.equal(auc(pairsOf([1, 2], [2, 3])), 3.5 / 4);
  assert.equal(auc(pairsOf([1, 1], [1, 1])), 0.5);
});

Deno.test("equalErrorRate() interpolates across a tie", () => {
  assert.equal(equalErrorRate(pairsOf([1, 1], [1, 1])), 0.5);
  assert.equal(equalErrorRate(pairsOf([1, 2], [2, 3])), 1 / 4);
  assert.equal(equalErrorRate(pairsOf([3], [1])), 1);
});

Deno.test("verification of perfect clusters has AUC 1 and EER 0", () => {
  const pairs = pairDistances(clusters(6, 4, 16, 0.01, 8), { seed: 1 });
  assert.equal(auc(pairs), 1);
  assert.equal(equalErrorRate(pairs), 0);
});

Deno.test("verification of noise has AUC and EER about 0.5", () => {
  const pairs = pairDistances(clusters(20, 10, 32, 1000, 9), { seed: 1 });
  assert.ok(Math.abs(auc(pairs) - 0.5) < 0.05);
  assert.ok(Math.abs(equalErrorRate(pairs) - 0.5) < 0.05);
});

Deno.test("distanceAtFmr() accepts no more than the share asked for, and a farther pair would", () => {
  const pairs = pairDistances(clusters(10, 6, 8, 0.8, 10), { seed: 1 });
  const all = [...pairs.genuine, ...pairs.impostor].sort((a, b) => a - b);
  for (const fmr of [0.01, 0.03, 0.1, 0.29, 0.5, 0.999]) {
    const distance = distanceAtFmr(pairs, fmr);
    assert.ok(distance !== undefined);
    assert.ok(falseMatchRate(pairs, distance) <= fmr);
    const farther = all.find((d) => d > distance);
    assert.ok(farther !== undefined && falseMatchRate(pairs, farther) > fmr);
  }
});

Deno.test("distanceAtFmr() finds nothing among impostors that all lie at one distance", () => {
  assert.equal(distanceAtFmr(pairsOf([1], [1, 1, 1, 1]), 0.5), undefined);
  assert.equal(distanceAtFmr(pairsOf([1], [1, 1, 1, 1]), 1), 1);
});

Deno.test("distanceAtFmr() is not fooled by rounding: 29% of 100 pairs are 29", () => {
  const hundred = Array.from({ length: 100 }, (_, i) => i);
  assert.equal(distanceAtFmr(pairsOf([0], hundred), 0.29), 28);
});

function pairsOf(genuine: number[], impostor: number[]): Pairs {
  return {
    genuine: Float64Array.from(genuine),
    impostor: Float64Array.from(impostor),
    genuineByIdentity: [Float64Array.from(genuine)],
  };
}
