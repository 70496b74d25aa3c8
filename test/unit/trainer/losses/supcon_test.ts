import assert from "node:assert/strict";
import { supcon } from "../../../../trainer/losses/mod.ts";
import { assertDefinedBy, backends, cosine, mean, positivesAndNegatives, randomRows, run, sum } from "./support.ts";

Deno.test("supcon() has the gradient of its definition", async () => {
  await backends.wasm();
  const rows = randomRows(11, 5, 11), labels = [0, 0, 0, 1, 1, 2, 2, 2, 2, 3, 4];
  const definition = (moved: number[][]) =>
    mean(
      moved.map((anchor, i) => {
        const { positives, negatives } = positivesAndNegatives(labels, i);
        const logit = (k: number) => cosine(anchor, moved[k]) / 0.2;
        const all = Math.log(sum([...positives, ...negatives].map((k) => Math.exp(logit(k)))));
        return -mean(positives.map((p) => logit(p) - all));
      }).filter((_, i) => positivesAndNegatives(labels, i).positives.length > 0),
    );
  assertDefinedBy(supcon({ temperature: 0.2 }), labels, rows, definition);
});

Deno.test("supcon() is 0 with a zero gradient, and says so, where an identity or its contrast is missing", async () => {
  await backends.wasm();
  for (const labels of [[1, 1, 1], [1, 2, 3]]) {
    const { loss, gradient, statistics } = run(supcon(), labels, [[1, 0], [0, 1], [1, 1]]);
    assert.deepEqual([loss, ...gradient], [0, 0, 0, 0, 0, 0, 0]);
    assert.equal(statistics.hasTriplets, false);
  }
});

Deno.test("supcon() is finite at a temperature whose exponentials are not", async () => {
  await backends.wasm();
  const { loss, gradient } = run(supcon({ temperature: 1e-3 }), [0, 0, 1], [[1, 0], [0, 1], [1, 0.1]]);
  assert.ok(Number.isFinite(loss) && loss > 100);
  assert.ok(gradient.every(Number.isFinite));
});

Deno.test("supcon() averages over the anchors that are not content yet", async () => {
  await backends.wasm();
  // The last row is as similar to its positive as to both negatives; for the others all is settled by a factor of e^200.
  const { loss } = run(supcon({ temperature: 5e-3 }), [0, 0, 1, 1], [[1, 0], [1, 0], [-1, 0], [0, 1]]);
  assert.ok(Math.abs(loss - Math.log(3)) < 1e-6);
});
