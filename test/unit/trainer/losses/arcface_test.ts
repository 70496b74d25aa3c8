import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { arcface } from "../../../../trainer/losses/mod.ts";
import { assertDefinedBy, backends, cosine, mean, randomRows, run, sum } from "./support.ts";

Deno.test("arcface() has the gradients of its definition, in rows and in centres", async () => {
  await backends.wasm();
  const rows = randomRows(8, 4, 12), centres = randomRows(5, 4, 13), labels = rows.map((_, i) => i % 4);
  const definition = (rows: number[][], centres: number[][]) =>
    mean(rows.map((row, i) => {
      const logits = centres.map((centre) => 8 * cosine(row, centre));
      logits[labels[i]] = 8 * Math.cos(Math.acos(cosine(row, centres[labels[i]])) + 0.3);
      return Math.log(sum(logits.map(Math.exp))) - logits[labels[i]];
    }));
  const made = arcface({ classes: 5, dimensions: 4, seed: 1, margin: 0.3, scale: 8 });
  assertDefinedBy(made, labels, rows, definition, centres);
  tf.dispose([...made.variables]);
});

Deno.test("arcface() has a finite gradient for a row in the very direction of its centre, or against it", async () => {
  await backends.wasm();
  const made = arcface({ classes: 2, dimensions: 2, seed: 1 });
  const centres = [[1, 0], [-0.6, -0.8]];
  const { loss, gradient, variableGradients } = run(made, [0, 1], [[1, 0], [0.6, 0.8]], [centres]);
  assert.ok([loss, ...gradient, ...variableGradients.flat()].every(Number.isFinite));
  tf.dispose([...made.variables]);
});

Deno.test("arcface() reports the share of rows that are not of their class by the margin, and the rows' spread", async () => {
  await backends.wasm();
  const made = arcface({ classes: 2, dimensions: 2, seed: 1 });
  const { statistics } = run(made, [0, 0], [[1, 0], [0.8, 0.6]], [[[1, 0], [0, 1]]]);
  // Without the margin of half a radian the second row would be of its class: 0.8 against 0.6.
  assert.equal(statistics.activeTripletShare, 0.5);
  assert.ok(Math.abs(statistics.meanPairwiseDistance - 0.2) < 1e-6);
  assert.equal(statistics.hasTriplets, true);
  tf.dispose([...made.variables]);
});
