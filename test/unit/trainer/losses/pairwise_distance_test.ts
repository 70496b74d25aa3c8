import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { pairwiseDistance } from "../../../../trainer/losses/mod.ts";
import { backends } from "./support.ts";

for (const [backend, use] of Object.entries(backends)) {
  Deno.test(`pairwiseDistance() gives L2, squared L2 and 1 - cosine on ${backend}`, async () => {
    await use();
    const rows = tf.tensor2d([[3, 0], [0, 4]]);
    assert.deepEqual([...pairwiseDistance(rows, "L2").dataSync()], [0, 5, 5, 0]);
    assert.deepEqual([...pairwiseDistance(rows, "squared-L2").dataSync()], [0, 25, 25, 0]);
    assert.deepEqual([...pairwiseDistance(rows, "angular").dataSync()].map(Math.round), [0, 1, 1, 0]);
  });

  Deno.test(`pairwiseDistance() has gradient 0, not infinity, between duplicates on ${backend}`, async () => {
    await use();
    const sum = (x: tf.Tensor) => tf.sum(pairwiseDistance(x as tf.Tensor2D, "L2"));
    const duplicates = tf.tensor2d([[0.1, 0.7], [0.1, 0.7]]);
    assert.deepEqual([...tf.grad(sum)(duplicates).dataSync()], [0, 0, 0, 0]);
    const beside = tf.tensor2d([[0, 0], [0, 0], [0, 2]]);
    assert.deepEqual([...tf.grad(sum)(beside).dataSync()], [0, -2, 0, -2, 0, 4]);
  });
}

Deno.test("pairwiseDistance() of an embedding that is collapsing stays accurate", async () => {
  await backends.wasm();
  const rows = Float32Array.from({ length: 4 * 8 }, (_, i) => 0.35 + 1e-5 * Math.sin(i));
  const distances = pairwiseDistance(tf.tensor2d(rows, [4, 8]), "L2").dataSync();
  for (let i = 0; i < 4; i++) {
    for (let j = 0; j < 4; j++) {
      let squared = 0;
      for (let k = 0; k < 8; k++) squared += (rows[i * 8 + k] - rows[j * 8 + k]) ** 2;
      assert.ok(Math.abs(distances[i * 4 + j] - Math.sqrt(squared)) <= 1e-6 * Math.sqrt(squared));
    }
  }
});

Deno.test("pairwiseDistance() puts a zero row at angular distance 1 from every row", async () => {
  await backends.wasm();
  assert.deepEqual([...pairwiseDistance(tf.tensor2d([[0, 0], [1, 0]]), "angular").dataSync()], [1, 1, 1, 0]);
});
