import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { useWasmBackend } from "../../../../shared/tfjs_wasm.ts";
import {
  DISTANCE_METRICS,
  type DistanceMetric,
  type LossStatistics,
  tripletSemihard,
} from "../../../../trainer/losses/mod.ts";
import { assertClose, distanceOf, finiteDifferences, randomRows } from "./support.ts";

interface Golden {
  source: string;
  batches: {
    name: string;
    labels: number[];
    embeddings: number[][];
    results: { distance: DistanceMetric; margin: number; loss: number | null; gradient: number[] }[];
  }[];
}

const golden: Golden = JSON.parse(
  await Deno.readTextFile(new URL("../../../fixtures/losses/triplet_semihard.json", import.meta.url)),
);

const backends: Record<string, () => Promise<unknown>> = { wasm: useWasmBackend, cpu: () => tf.setBackend("cpu") };

for (const [backend, use] of Object.entries(backends)) {
  for (const distance of DISTANCE_METRICS) {
    Deno.test(`tripletSemihard() with ${distance} equals ${golden.source}, values and gradients, on ${backend}`, async () => {
      await use();
      let compared = 0;
      for (const batch of golden.batches) {
        for (const expected of batch.results.filter((result) => result.distance === distance)) {
          const where = `${batch.name}, margin ${expected.margin}`;
          const { loss, gradient } = run(batch.labels, batch.embeddings, expected);
          assertClose([loss], [expected.loss ?? 0], `loss of ${where}`);
          assertClose(gradient, expected.gradient, `gradient of ${where}`);
          compared++;
        }
      }
      assert.equal(compared, golden.batches.length * 2);
    });
  }
}

Deno.test("tripletSemihard() has the gradient that finite differences of the definition give", async () => {
  await useWasmBackend();
  for (const distance of DISTANCE_METRICS) {
    const rows = randomRows(12, 5, 7);
    const labels = rows.map((_, i) => i % 4);
    const { loss, gradient } = run(labels, rows, { distance, margin: 0.7 });
    assert.ok(loss > 0.1);
    assertClose([loss], [definition(rows, labels, distance, 0.7)], `${distance} loss`);
    assertClose(gradient, finiteDifferences(rows, (moved) => definition(moved, labels, distance, 0.7)), distance);
  }
});

Deno.test("tripletSemihard() reports the share of active pairs and the mean distance of its batch", async () => {
  await useWasmBackend();
  const rows = [[0], [1], [1.5], [9], [10]];
  const { loss, statistics } = run([0, 0, 1, 2, 2], rows, { distance: "L2", margin: 1 });
  // Only anchor 0 is active: positive at 1, nearest negative beyond at 1.5. The others find theirs 7 or more away.
  assert.ok(Math.abs(loss - 0.5 / 4) < 1e-6);
  assert.equal(statistics.activeTripletShare, 1 / 4);
  assert.ok(Math.abs(statistics.meanPairwiseDistance - 5.6) < 1e-6);
  assert.equal(statistics.hasTriplets, true);
});

Deno.test("tripletSemihard() is 0 with a zero gradient, and says so, where no two rows share an identity", async () => {
  await useWasmBackend();
  const { loss, gradient, statistics } = run([4, 5, 6], [[1, 0], [0, 1], [1, 1]], { distance: "L2", margin: 1 });
  assert.equal(loss, 0);
  assert.deepEqual(gradient, [0, 0, 0, 0, 0, 0]);
  assert.equal(statistics.hasTriplets, false);
  assert.equal(statistics.activeTripletShare, 0);
});

Deno.test("tripletSemihard() says that a batch of one identity holds no triplet", async () => {
  await useWasmBackend();
  assert.equal(run([1, 1], [[1, 0], [0, 1]], { distance: "L2", margin: 1 }).statistics.hasTriplets, false);
});

Deno.test("tripletSemihard() of embeddings that are not numbers is not a number", async () => {
  await useWasmBackend();
  assert.ok(Number.isNaN(run([1, 1, 2], [[NaN, 0], [0, 1], [1, 1]], { distance: "L2", margin: 1 }).loss));
});

Deno.test("tripletSemihard() refuses labels that do not fit the embeddings", async () => {
  await useWasmBackend();
  assert.throws(() => tripletSemihard()(Int32Array.of(1), tf.zeros([2, 2])), RangeError);
});

Deno.test("tripletSemihard() leaves no tensor behind", async () => {
  await useWasmBackend();
  const rows = tf.randomNormal<tf.Rank.R2>([12, 4], 0, 1, "float32", 3);
  const labels = Int32Array.from({ length: 12 }, (_, i) => i % 3);
  for (const distance of DISTANCE_METRICS) {
    const before = tf.memory().numTensors;
    const { value, grad } = tf.valueAndGrad((x) => tripletSemihard({ distance })(labels, x as tf.Tensor2D))(rows);
    tf.dispose([value, grad]);
    tf.dispose(tripletSemihard({ distance })(labels, rows));
    assert.equal(tf.memory().numTensors, before);
  }
});

function run(labels: number[], embeddings: number[][], options: { distance: DistanceMetric; margin: number }) {
  let statistics: LossStatistics | undefined;
  const loss = tripletSemihard(options);
  const rows = tf.tensor2d(embeddings);
  const { value, grad } = tf.valueAndGrad((x) =>
    loss(Int32Array.from(labels), x as tf.Tensor2D, (s) => statistics = s)
  )(rows);
  assert.ok(statistics);
  return { loss: value.dataSync()[0], gradient: [...grad.dataSync()], statistics };
}

/** The loss straight from its definition, in float64: every negative looked at, no masks. */
function definition(rows: number[][], labels: number[], distance: DistanceMetric, margin: number): number {
  const d = rows.map((a) => rows.map((b) => distanceOf(a, b, distance)));
  let sum = 0, pairs = 0;
  for (let a = 0; a < rows.length; a++) {
    for (let p = 0; p < rows.length; p++) {
      if (a === p || labels[a] !== labels[p]) continue;
      const negatives = d[a].filter((_, n) => labels[n] !== labels[a]);
      const beyond = negatives.filter((negative) => negative > d[a][p]);
      const chosen = beyond.length > 0 ? Math.min(...beyond) : Math.max(...negatives);
      sum += Math.max(0, margin + d[a][p] - chosen);
      pairs++;
    }
  }
  return sum / pairs;
}
