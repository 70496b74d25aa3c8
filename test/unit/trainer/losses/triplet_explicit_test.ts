import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import {
  DISTANCE_METRICS,
  type LossStatistics,
  tripletExplicit,
  type TripletExplicitOptions,
} from "../../../../trainer/losses/mod.ts";
import {
  assertClose,
  assertRowsClose,
  backends,
  distanceOf,
  finiteDifferences,
  mean,
  randomRows,
  readGolden,
} from "./support.ts";

const golden = await readGolden<TripletExplicitOptions>("triplet_explicit.json");

for (const [backend, use] of Object.entries(backends)) {
  Deno.test(`tripletExplicit() equals ${golden.source}, values and gradients, on ${backend}`, async () => {
    await use();
    assert.ok(golden.batches.length >= 20);
    for (const { name, embeddings, results } of golden.batches) {
      for (const expected of results) {
        const where = `${name}, ${JSON.stringify(expected.options)}`;
        const { loss, gradient } = runTowers(expected.options, embeddings);
        assertClose([loss], [expected.loss], `loss of ${where}`);
        assertRowsClose(gradient, expected.gradient, 4, `gradient of ${where}`);
      }
    }
  });
}

Deno.test("tripletExplicit() has the gradient of its definition", async () => {
  await backends.wasm();
  const towers = randomRows(15, 4, 16);
  for (const distance of DISTANCE_METRICS) {
    const definition = (rows: number[][]) =>
      mean(Array.from({ length: 5 }, (_, i) => {
        const to = (tower: number) => distanceOf(rows[i], rows[5 * tower + i], distance);
        return Math.max(0, 0.4 + to(1) - to(2));
      }));
    const { loss, gradient } = runTowers({ margin: 0.4, distance }, towers);
    assert.ok(loss > 0.01);
    assertClose([loss], [definition(towers)], distance);
    assertClose(gradient, finiteDifferences(towers, definition), distance);
  }
});

Deno.test("tripletExplicit() reports the share of active triplets", async () => {
  await backends.wasm();
  const { statistics } = runTowers({ margin: 1 }, [[0], [0], [1], [1], [1.5], [5]]);
  assert.deepEqual(statistics, { activeTripletShare: 0.5, meanPairwiseDistance: 8.5 / 4, hasTriplets: true });
});

Deno.test("tripletExplicit() of no triplets is 0, and says so", async () => {
  await backends.wasm();
  let statistics: LossStatistics | undefined;
  const none = tf.zeros<tf.Rank.R2>([0, 4]);
  assert.equal(tripletExplicit()(none, none, none, (seen) => statistics = seen).dataSync()[0], 0);
  assert.equal(statistics?.hasTriplets, false);
});

Deno.test("tripletExplicit() refuses towers of different shapes", async () => {
  await backends.wasm();
  assert.throws(() => tripletExplicit()(tf.zeros([2, 3]), tf.zeros([2, 3]), tf.zeros([1, 3])), RangeError);
});

/** @param rows a third each of anchors, positives and negatives */
function runTowers(options: TripletExplicitOptions, rows: number[][]) {
  let statistics: LossStatistics | undefined;
  const n = rows.length / 3;
  const towers = [0, 1, 2].map((t) => tf.tensor2d(rows.slice(t * n, (t + 1) * n)));
  const { value, grads } = tf.valueAndGrads((a: tf.Tensor, p: tf.Tensor, n: tf.Tensor) =>
    tripletExplicit(options)(a as tf.Tensor2D, p as tf.Tensor2D, n as tf.Tensor2D, (seen) => statistics = seen)
  )(towers);
  const result = { loss: value.dataSync()[0], gradient: grads.flatMap((grad) => [...grad.dataSync()]), statistics };
  tf.dispose([...towers, value, ...grads]);
  return result;
}
