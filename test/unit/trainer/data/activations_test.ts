import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { cacheActivations, cachedBatches } from "../../../../trainer/data/activations.ts";
import type { Batches } from "../../../../trainer/data/batches.ts";
import type { Sampler } from "../../../../trainer/data/sampler.ts";
import { chooseEngine } from "../../../../trainer/engines/mod.ts";
import { createEmbedder } from "../../../../trainer/models/embedder.ts";
import { lastFrozenLayer, splitNetwork } from "../../../../trainer/models/split.ts";
import { normal } from "../engines/gradients.ts";

const SIZE = 16, PIXELS = SIZE * SIZE * 3, COUNT = 23, VIEWS = 3;
const LABELS = Int32Array.from({ length: COUNT }, (_, i) => i % 4);

/** A view of a row: of its own noise, and that of the place in the batch that it is made for. */
const viewOf = (row: number, step: number, i: number) => normal(PIXELS, 1000 * row + 100 * step + i);

function views(closed: () => void = () => {}): (sampler: Sampler) => Batches {
  return (sampler) => ({
    at(step) {
      const rows = sampler(step);
      const values = new Float32Array(rows.length * PIXELS);
      rows.forEach((row, i) => values.set(viewOf(row, step, i), i * PIXELS));
      return Promise.resolve({ values, shape: [rows.length, SIZE, SIZE, 3], labels: LABELS });
    },
    waitedMs: () => 0,
    close: closed,
  });
}

async function frozenNetwork() {
  await chooseEngine("wasm");
  const input = { height: SIZE, width: SIZE, channels: 3 } as const;
  const model = createEmbedder({ backbone: "thin-resnet", input, dimensions: 8, seed: 1 });
  const { below, above } = splitNetwork(model, lastFrozenLayer(model, "stage2"));
  return { model, above, run: (x: tf.Tensor) => below.predict(x) as tf.Tensor };
}

async function cached(run: (x: tf.Tensor) => tf.Tensor) {
  const progress: number[] = [];
  let closed = false;
  const activations = await cacheActivations({
    ...{ count: COUNT, views: VIEWS, below: run, batchesOf: views(() => closed = true) },
    onProgress: (done) => progress.push(done),
  });
  assert.ok(closed, "what makes the views is freed");
  return { activations, progress };
}

Deno.test("cacheActivations() keeps what the frozen layers give of every view of every photo, to half precision", async () => {
  const { run } = await frozenNetwork();
  const before = tf.memory().numTensors;
  const { activations, progress } = await cached(run);
  assert.equal(tf.memory().numTensors, before, "no tensor is left");
  assert.deepEqual(progress, [32, 64, 69]);
  const { shape, values } = activations;
  const size = shape.reduce((product, length) => product * length);
  assert.equal(values.length, COUNT * VIEWS * size);
  for (const place of [0, 31, 32, 50, COUNT * VIEWS - 1]) {
    const view = viewOf(Math.floor(place / VIEWS), Math.floor(place / 32), place % 32);
    const y = run(tf.tensor(view, [1, SIZE, SIZE, 3]));
    assert.deepEqual(y.shape.slice(1), shape);
    const exact = await y.data();
    values.slice(place * size, (place + 1) * size).forEach((value, i) => {
      assert.ok(Math.abs(value - exact[i]) <= 2 ** -10 * Math.abs(exact[i]) + 1e-5, `${value} for ${exact[i]}`);
    });
  }
});

Deno.test("a failure in the frozen layers frees what makes the views", async () => {
  await frozenNetwork();
  const fails = () => {
    throw new RangeError("no memory");
  };
  let closed = false;
  const options = { count: 2, views: 1, below: fails, onProgress: () => {} };
  await assert.rejects(cacheActivations({ ...options, batchesOf: views(() => closed = true) }), RangeError);
  assert.ok(closed);
});

Deno.test("cachedBatches() gives the sampler's rows, each in one of its own views, the same for the same seed and step", async () => {
  const shape = [2], values = new Float16Array(COUNT * VIEWS * 2).map((_, i) => i);
  const sampler: Sampler = (step) => [step % COUNT, 3, 3, 22];
  const batchesOf = (seed: number) => cachedBatches({ views: VIEWS, shape, values }, sampler, LABELS, seed);
  const drawn = new Map<number, Set<number>>();
  for (let step = 0; step < 60; step++) {
    const batch = await batchesOf(1).at(step, 60);
    assert.deepEqual(batch, await batchesOf(1).at(step, 60));
    assert.deepEqual(batch.shape, [4, 2]);
    assert.deepEqual([...batch.labels], sampler(step).map((row) => LABELS[row]));
    sampler(step).forEach((row, i) => {
      const [first, second] = batch.values.subarray(2 * i, 2 * i + 2);
      assert.equal(second, first + 1, "one view as a whole");
      const view = first / 2 - row * VIEWS;
      drawn.set(row, (drawn.get(row) ?? new Set()).add(view));
    });
  }
  assert.deepEqual([...drawn.get(3)!].sort(), [0, 1, 2], "every view is drawn");
  assert.ok([...drawn.values()].every((views) => views.isSubsetOf(new Set([0, 1, 2]))));
  const other = await Promise.all(Array.from({ length: 9 }, (_, step) => batchesOf(2).at(step, 9)));
  const same = await Promise.all(Array.from({ length: 9 }, (_, step) => batchesOf(1).at(step, 9)));
  assert.notDeepEqual(other.map(({ values }) => values), same.map(({ values }) => values));
});

Deno.test("the layers above make of cached activations the embeddings of the whole network", async () => {
  const { model, above, run } = await frozenNetwork();
  const { activations } = await cached(run);
  const batch = await cachedBatches(activations, () => [0, 9, 22], LABELS, 1).at(0, 1);
  const { embeddings } = above(tf.tensor(batch.values, batch.shape), false);
  const got = await embeddings.data();
  for (const [i, row] of [0, 9, 22].entries()) {
    // Which of its views was drawn is up to the seed.
    const errors = await Promise.all(Array.from({ length: VIEWS }, async (_, view) => {
      const place = row * VIEWS + view;
      const x = tf.tensor(viewOf(row, Math.floor(place / 32), place % 32), [1, SIZE, SIZE, 3]);
      const whole = await (model.predict(x) as tf.Tensor).data();
      return Math.max(...Array.from(whole, (value, k) => Math.abs(value - got[8 * i + k])));
    }));
    assert.ok(Math.min(...errors) < 2e-3, `${errors}`);
    assert.ok(Math.max(...errors) > 0.02, `views differ: ${errors}`);
  }
});
