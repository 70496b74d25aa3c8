import assert from "node:assert/strict";
import { multiSimilarity } from "../../../../trainer/losses/mod.ts";
import { assertDefinedBy, backends, cosine, mean, positivesAndNegatives, randomRows, run, sum } from "./support.ts";

Deno.test("multiSimilarity() has the gradient of its definition", async () => {
  await backends.wasm();
  const rows = randomRows(12, 5, 10), labels = rows.map((_, i) => i % 4);
  const definition = (moved: number[][]) =>
    mean(moved.map((anchor, i) => {
      const { positives, negatives } = positivesAndNegatives(labels, i);
      const term = (indices: number[], sharpness: number) =>
        Math.log(1 + sum(indices.map((k) => Math.exp(sharpness * (cosine(anchor, moved[k]) - 0.4))))) /
        Math.abs(sharpness);
      return term(positives, -3) + term(negatives, 10);
    }));
  assertDefinedBy(multiSimilarity({ alpha: 3, beta: 10, base: 0.4 }), labels, rows, definition);
});

Deno.test("multiSimilarity() counts an anchor as active while a positive is not more similar than every negative", async () => {
  await backends.wasm();
  const rows = [[1, 0], [0.8, 0.6], [0, 1], [-1, 0]];
  const { statistics } = run(multiSimilarity(), [0, 0, 1, 2], rows);
  assert.equal(statistics.activeTripletShare, 0);
  assert.equal(run(multiSimilarity(), [0, 1, 0, 2], rows).statistics.activeTripletShare, 1);
  assert.ok(Math.abs(statistics.meanPairwiseDistance - (1 - (0.8 + 0 - 1 + 0.6 - 0.8 + 0) / 6)) < 1e-6);
});
