import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { type LossStatistics, siameseBce } from "../../../../trainer/losses/mod.ts";
import { assertDefinedBy, backends, mean, randomRows, run, sum } from "./support.ts";

Deno.test("siameseBce() has the gradients of its definition, in rows, kernel and bias", async () => {
  await backends.wasm();
  const rows = randomRows(10, 4, 17), kernel = randomRows(1, 4, 18), bias = [[0.3]];
  const labels = [0, 1, 2, 3, 0, 0, 2, 2, 4, 1];
  const definition = (rows: number[][], [kernel]: number[][], [[bias]]: number[][]) =>
    mean(Array.from({ length: 5 }, (_, i) => {
      const logit = bias + sum(kernel.map((weight, k) => weight * Math.abs(rows[i][k] - rows[5 + i][k])));
      const probability = 1 / (1 + Math.exp(-logit));
      return -Math.log(labels[i] === labels[5 + i] ? probability : 1 - probability);
    }));
  const made = siameseBce({ dimensions: 4, seed: 1 });
  assertDefinedBy(made, labels, rows, definition, kernel, bias);
  tf.dispose([...made.variables]);
});

Deno.test("siameseBce() is finite, and still learns, where it is as wrong as can be", async () => {
  await backends.wasm();
  const made = siameseBce({ dimensions: 1, seed: 1 });
  const { loss, gradient } = run(made, [0, 1, 0, 2], [[0], [0], [900], [-900]], [[-1], [0]]);
  assert.ok(Math.abs(loss - 450) < 1e-3, "900 for the genuine pair, 0 for the impostor");
  assert.deepEqual(gradient.map((value) => value + 0), [-0.5, 0, 0.5, 0]);
  tf.dispose([...made.variables]);
});

Deno.test("siameseBce() reports the share of pairs on the wrong side and the distance within pairs", async () => {
  await backends.wasm();
  const made = siameseBce({ dimensions: 2, seed: 1 });
  const first = [[0, 0], [0, 0], [0, 0], [0, 0]], second = [[0, 0], [3, 4], [0, 0], [6, 8]];
  const labels = [0, 1, 2, 3, 0, 1, 4, 5];
  const undecided = run(made, labels, [...first, ...second], [[0, 0], [0]]);
  assert.equal(undecided.statistics.activeTripletShare, 0.5, "a probability of one half calls every pair genuine");
  const byDistance = run(made, labels, [...first, ...second], [[-1, 0], [1]]);
  assert.deepEqual(byDistance.statistics, { activeTripletShare: 0.5, meanPairwiseDistance: 3.75, hasTriplets: true });
  tf.dispose([...made.variables]);
});

Deno.test("siameseBce() starts from Glorot's kernel, which follows from the seed, and no bias", async () => {
  await backends.wasm();
  const startOf = (seed: number) => {
    const { variables } = siameseBce({ dimensions: 500, seed });
    const values = variables.map((variable) => [...variable.dataSync()]);
    tf.dispose([...variables]);
    return values;
  };
  const [kernel, bias] = startOf(3);
  const limit = Math.sqrt(6 / 501);
  assert.ok(kernel.every((value) => Math.abs(value) <= limit));
  assert.ok(Math.abs(mean(kernel)) < 0.1 * limit);
  assert.ok(Math.abs(mean(kernel.map((value) => value ** 2)) - limit ** 2 / 3) < 0.1 * limit ** 2);
  assert.deepEqual(bias, [0]);
  assert.deepEqual(startOf(3), [kernel, bias]);
  assert.notDeepEqual(startOf(4), [kernel, bias]);
});

Deno.test("siameseBce() refuses rows that are not two halves, and says of no pairs that there are none", async () => {
  await backends.wasm();
  const { loss, variables } = siameseBce({ dimensions: 3, seed: 1 });
  assert.throws(() => loss(Int32Array.of(0, 0, 1), tf.zeros([3, 3])), RangeError);
  let statistics: LossStatistics | undefined;
  assert.equal(loss(new Int32Array(0), tf.zeros([0, 3]), (seen) => statistics = seen).dataSync()[0], 0);
  assert.deepEqual(statistics, { activeTripletShare: 0, meanPairwiseDistance: 0, hasTriplets: false });
  tf.dispose([...variables]);
});
