import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { LOSSES, type LossName, type LossSettings } from "../../../../trainer/losses/mod.ts";
import { createOptimizer } from "../../../../trainer/optimizers/mod.ts";
import { assertClose, assertRowsClose, backends, randomRows, readGolden, run, type Values } from "./support.ts";

const settings: LossSettings = { classes: 4, dimensions: 6, seed: 3 };
const NAMES = Object.keys(LOSSES) as LossName[];
// Four triplets by their order, and six pairs, of which four are genuine: every loss can learn from them.
const LABELS = [0, 1, 2, 3, 0, 1, 2, 3, 2, 3, 0, 1];

for (const name of NAMES) {
  const golden = await readGolden(name);

  for (const [backend, use] of Object.entries(backends)) {
    Deno.test(`${name} equals ${golden.source}, values and gradients, on ${backend}`, async () => {
      await use();
      for (const { name: batch, labels, embeddings, variables: values = [], results } of golden.batches) {
        for (const { options, ...expected } of results) {
          const where = `${batch}, ${JSON.stringify(options)}`;
          const dimensions = embeddings[0].length;
          const made = LOSSES[name]({ ...options, classes: classesOf(values), dimensions, seed: 1 });
          const actual = run(made, labels, embeddings, values);
          assertClose([actual.loss], [expected.loss ?? 0], `loss of ${where}`);
          assertRowsClose(actual.gradient, expected.gradient, dimensions, `gradient of ${where}`);
          made.variables.forEach((variable, i) => {
            const [found, wanted] = [actual.variableGradients[i], expected.variableGradients![i]];
            assertRowsClose(found, wanted, variable.shape.at(-1)!, `gradient by variable ${i} of ${where}`);
            variable.dispose();
          });
        }
      }
    });
  }

  Deno.test(`${name} is compared on 20 random batches and on awkward ones`, () => {
    const random = golden.batches.filter((batch) => batch.name.startsWith("random"));
    const awkward = golden.batches.filter((batch) => !batch.name.startsWith("random"));
    assert.equal(random.length, 20);
    assert.ok(awkward.some(({ embeddings }) => embeddings.flat().every((value) => value === 0)), "zero vectors");
    assert.ok(awkward.some(({ embeddings }) => hasDuplicates(embeddings)), "duplicates");
    // In a triplet there are always two identities.
    if (name === "triplet-explicit") return;
    const sizes = awkward.map(({ labels }) => new Set(labels).size / labels.length);
    assert.ok(sizes.includes(1), "all distinct");
    assert.ok(awkward.some(({ labels }) => labels.length > 2 && new Set(labels).size === 1), "one identity");
  });

  Deno.test(`${name} refuses labels that do not fit the embeddings`, async () => {
    await backends.wasm();
    const { loss, variables } = LOSSES[name](settings);
    assert.throws(() => loss(Int32Array.of(1), tf.zeros([2, 6])), RangeError);
    tf.dispose([...variables]);
  });

  Deno.test(`${name} of embeddings that are not numbers is not a number`, async () => {
    await backends.wasm();
    const made = LOSSES[name](settings);
    const rows = randomRows(LABELS.length, 6, 1);
    rows[0][0] = NaN;
    assert.ok(Number.isNaN(run(made, LABELS, rows).loss));
    tf.dispose([...made.variables]);
  });

  Deno.test(`${name} leaves no tensor behind`, async () => {
    await backends.wasm();
    const before = tf.memory().numTensors;
    const made = LOSSES[name](settings);
    run(made, LABELS, randomRows(LABELS.length, 6, 2));
    assert.equal(tf.memory().numTensors, before + made.variables.length);
    tf.dispose([...made.variables]);
  });

  Deno.test(`${name} falls when embeddings, and its own variables, follow its gradient`, async () => {
    await backends.wasm();
    const labels = Int32Array.from(LABELS);
    const { loss, variables } = LOSSES[name](settings);
    const rows = tf.variable(tf.tensor2d(randomRows(LABELS.length, 6, 3)));
    const adam = createOptimizer([rows, ...variables], { optimizer: "adam", weightDecay: 0, momentum: 0 });
    adam.setLearningRate(0.05);
    const before = variables.map((variable) => variable.dataSync().slice());
    const losses = Array.from(
      { length: 60 },
      () => adam.minimize(() => loss(labels, rows as tf.Tensor2D)).loss.dataSync()[0],
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

/** The classes of a loss that has centres, which are its first variable. */
function classesOf([centres]: Values[]): number {
  return centres?.length ?? 1;
}

function hasDuplicates(rows: number[][]): boolean {
  return new Set(rows.map(String)).size < rows.length;
}
