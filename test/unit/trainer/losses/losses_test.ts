import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { LOSSES, type LossName, type LossSettings } from "../../../../trainer/losses/mod.ts";
import { Adam } from "../../../../trainer/optimizers/adam.ts";
import { backends, randomRows, run } from "./support.ts";

const settings: LossSettings = { classes: 4, dimensions: 6, seed: 3 };

for (const name of Object.keys(LOSSES) as LossName[]) {
  Deno.test(`${name} refuses labels that do not fit the embeddings`, async () => {
    await backends.wasm();
    const { loss, variables } = LOSSES[name](settings);
    assert.throws(() => loss(Int32Array.of(1), tf.zeros([2, 6])), RangeError);
    tf.dispose([...variables]);
  });

  Deno.test(`${name} of embeddings that are not numbers is not a number`, async () => {
    await backends.wasm();
    const { loss, variables } = LOSSES[name](settings);
    const rows = randomRows(4, 6, 1);
    rows[0][0] = NaN;
    assert.ok(Number.isNaN(run(loss, [0, 0, 1, 1], rows).loss));
    tf.dispose([...variables]);
  });

  Deno.test(`${name} leaves no tensor behind`, async () => {
    await backends.wasm();
    const before = tf.memory().numTensors;
    const { loss, variables } = LOSSES[name](settings);
    run(loss, [0, 0, 1, 1, 2, 3], randomRows(6, 6, 2));
    assert.equal(tf.memory().numTensors, before + variables.length);
    tf.dispose([...variables]);
  });

  Deno.test(`${name} falls when embeddings, and its own variables, follow its gradient`, async () => {
    await backends.wasm();
    const labels = Int32Array.of(0, 0, 1, 1, 2, 2, 3, 3);
    const { loss, variables } = LOSSES[name](settings);
    const rows = tf.variable(tf.tensor2d(randomRows(8, 6, 3)));
    const adam = new Adam([rows, ...variables], { learningRate: 0.05 });
    const before = variables.map((variable) => variable.dataSync().slice());
    const losses = Array.from(
      { length: 60 },
      () => adam.minimize(() => loss(labels, rows as tf.Tensor2D)).dataSync()[0],
    );
    assert.ok(losses[59] < 0.7 * losses[0], `from ${losses[0]} to ${losses[59]}`);
    variables.forEach((variable, i) => assert.notDeepEqual(variable.dataSync(), before[i]));
    tf.dispose([rows, ...variables]);
    adam.dispose();
  });
}

for (const name of ["proxy-anchor", "arcface"] as const) {
  Deno.test(`${name} starts from centres that follow from the seed`, async () => {
    await backends.wasm();
    const centresOf = (seed: number) => {
      const { variables: [centres] } = LOSSES[name]({ ...settings, seed });
      assert.deepEqual(centres.shape, [4, 6]);
      const values = centres.dataSync().slice();
      centres.dispose();
      return values;
    };
    assert.deepEqual(centresOf(3), centresOf(3));
    assert.notDeepEqual(centresOf(3), centresOf(4));
  });

  Deno.test(`${name} refuses a label that is none of its classes`, async () => {
    await backends.wasm();
    const { loss, variables } = LOSSES[name](settings);
    assert.throws(() => loss(Int32Array.of(0, 4), tf.zeros([2, 6])), RangeError);
    assert.throws(() => loss(Int32Array.of(-1, 0), tf.zeros([2, 6])), RangeError);
    tf.dispose([...variables]);
  });
}
