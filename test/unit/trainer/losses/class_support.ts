import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import type { ClassOptions, TrainableLoss } from "../../../../trainer/losses/mod.ts";
import { assertClose, assertRowsClose, backends, finiteDifferences, readGolden } from "./support.ts";

/** Declares the test that a loss with class centres equals its reference, in the centres' gradient too. */
export async function testClassesAgainstGolden<Options>(
  name: string,
  file: string,
  create: (options: Options & ClassOptions) => TrainableLoss,
): Promise<void> {
  const golden = await readGolden<Options>(file);
  for (const [backend, use] of Object.entries(backends)) {
    Deno.test(`${name}() equals ${golden.source}, values and gradients, on ${backend}`, async () => {
      await use();
      assert.ok(golden.batches.length >= 30);
      for (const { name, labels, embeddings, centres, results } of golden.batches) {
        const dimensions = embeddings[0].length;
        for (const expected of results) {
          const where = `${name}, ${JSON.stringify(expected.options)}`;
          const made = create({ ...expected.options, classes: centres!.length, dimensions, seed: 1 });
          const actual = runWithCentres(made, labels, embeddings, centres!);
          assertClose([actual.loss], [expected.loss], `loss of ${where}`);
          assertRowsClose(actual.gradient, expected.gradient, dimensions, `gradient of ${where}`);
          assertRowsClose(actual.centresGradient, expected.centresGradient!, dimensions, `centres of ${where}`);
        }
      }
    });
  }
}

/** Loss and gradients of a batch with the centres given; disposes the loss's variables. */
export function runWithCentres(
  { loss, variables }: TrainableLoss,
  labels: number[],
  embeddings: number[][],
  centres: number[][],
) {
  const [variable] = variables;
  const result = tf.tidy(() => {
    variable.assign(tf.tensor2d(centres));
    const rows = tf.variable(tf.tensor2d(embeddings));
    const { value, grads } = tf.variableGrads(
      () => loss(Int32Array.from(labels), rows as tf.Tensor2D),
      [rows, variable],
    );
    const read = (tensor: tf.Tensor) => [...tensor.dataSync()];
    const found = {
      loss: value.dataSync()[0],
      gradient: read(grads[rows.name]),
      centresGradient: read(grads[variable.name]),
    };
    rows.dispose();
    return [found];
  })[0] as { loss: number; gradient: number[]; centresGradient: number[] };
  variable.dispose();
  return result;
}

/** Checks value and gradients against a definition computed in float64. */
export function assertClassesDefinedBy(
  made: TrainableLoss,
  labels: number[],
  rows: number[][],
  centres: number[][],
  definition: (rows: number[][], centres: number[][]) => number,
): void {
  const actual = runWithCentres(made, labels, rows, centres);
  assertClose([actual.loss], [definition(rows, centres)], "loss");
  assertClose(actual.gradient, finiteDifferences(rows, (moved) => definition(moved, centres)), "gradient");
  assertClose(actual.centresGradient, finiteDifferences(centres, (moved) => definition(rows, moved)), "centres");
}
