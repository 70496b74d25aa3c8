import * as tf from "@tensorflow/tfjs";
import { randomStream } from "../random.ts";
import type { Batches } from "./batches.ts";
import type { Sampler } from "./sampler.ts";

/** Photos that go through the frozen layers at a time. */
const BATCH = 32;

/** What the frozen layers of a network make of every photo, in several random views. */
export interface Activations {
  views: number;
  /** Of one view, without the batch's dimension. */
  shape: number[];
  /** View by view of photo by photo, `[photos * views, ...shape]`: half the memory, and finer than a step of training is. */
  values: Float16Array;
}

/** What there is to compute, and with what. */
export interface ActivationsOptions {
  /** Photos of the data set. */
  count: number;
  /** Views of each. */
  views: number;
  /** Batches of random views of the rows that a sampler names. */
  batchesOf: (sampler: Sampler) => Batches;
  /** The frozen layers. */
  below: (x: tf.Tensor) => tf.Tensor;
  onProgress: (done: number) => void;
}

/** Runs the frozen layers once for every view, so that the layers above can train on what they gave. */
export async function cacheActivations(options: ActivationsOptions): Promise<Activations> {
  const { count, views, batchesOf, below, onProgress } = options;
  const total = count * views, steps = Math.ceil(total / BATCH);
  const batches = batchesOf((step) =>
    Array.from({ length: Math.min(BATCH, total - step * BATCH) }, (_, i) => Math.floor((step * BATCH + i) / views))
  );
  let shape: number[] = [], values = new Float16Array(0);
  try {
    for (let step = 0; step < steps; step++) {
      const batch = await batches.at(step, steps);
      const y = tf.tidy(() => below(tf.tensor(batch.values, batch.shape)));
      if (step === 0) {
        shape = y.shape.slice(1);
        values = new Float16Array(total * y.size / y.shape[0]);
      }
      values.set(await y.data<"float32">(), step * BATCH * values.length / total);
      y.dispose();
      onProgress(Math.min(total, (step + 1) * BATCH));
    }
  } finally {
    batches.close();
  }
  return { views, shape, values };
}

/** Batches of cached activations: the sampler's rows, each in one of its views at random. The same step gives the same batch. */
export function cachedBatches(
  { views, shape, values }: Activations,
  sampler: Sampler,
  labels: Int32Array,
  seed: number,
): Batches {
  const size = shape.reduce((product, length) => product * length, 1);
  return {
    at(step) {
      const rows = sampler(step);
      const random = randomStream(seed, "cached view", step);
      const batch = new Float32Array(rows.length * size);
      rows.forEach((row, i) => {
        const at = (row * views + Math.floor(random() * views)) * size;
        batch.set(values.subarray(at, at + size), i * size);
      });
      return Promise.resolve({
        values: batch,
        shape: [rows.length, ...shape],
        labels: Int32Array.from(rows, (row) => labels[row]),
      });
    },
    waitedMs: () => 0,
    close: () => {},
  };
}
