import type { InputSpec } from "../../shared/card.ts";
import { type Image, normalize } from "../../shared/image/mod.ts";
import { randomStream } from "../random.ts";
import { augment, type Augmentation } from "./augment.ts";
import type { Photo } from "./photos.ts";
import type { Sampler } from "./sampler.ts";

/** What one training step sees. */
export interface Batch {
  /** What the network takes, or what its frozen layers make of that: `shape` float32. */
  values: Float32Array<ArrayBuffer>;
  /** Of normalised images `[rows, height, width, channels]`. */
  shape: [rows: number, ...number[]];
  /** Identity of each row, `[rows] int32`. */
  labels: Int32Array;
}

/** The batches of a run's steps, made before they are asked for where that is possible. */
export interface Batches {
  /**
   * The batch of a step: the same step gives the same batch. Those of the steps after it may be made meanwhile, but not that
   * of `until` and beyond, whose rows are not known yet.
   */
  at(step: number, until: number): Promise<Batch>;
  /** How long callers of `at` have waited so far, in milliseconds. */
  waitedMs(): number;
  /** Frees what makes the batches; none can be had afterwards. */
  close(): void;
}

/** How photos become what the network takes. */
export interface ViewSettings {
  input: InputSpec;
  augmentation: Augmentation;
  seed: number;
}

/** The identities of photos as numbers, in the order of their first appearance. */
export function labelsOf(photos: readonly { identity: string }[]): Int32Array {
  const numbers = new Map<string, number>();
  return Int32Array.from(photos, ({ identity }) => {
    if (!numbers.has(identity)) numbers.set(identity, numbers.size);
    return numbers.get(identity)!;
  });
}

/**
 * The batch of a step: the sampler's rows, each in a random view of its own. The same step gives the same batch.
 */
export function trainingBatches(
  photos: readonly Photo[],
  input: InputSpec,
  sampler: Sampler,
  augmentation: Augmentation,
  seed: number,
): (step: number) => Promise<Batch> {
  const labels = labelsOf(photos);
  const images = photos.map((photo) => photo.image);
  const settings = { input, augmentation, seed };
  return async (step) => {
    const rows = sampler(step);
    return toBatch(rows, await randomViews(images, step, rows, settings), labels, input);
  };
}

/**
 * Views of a step's photos, each drawn from a stream of its own.
 *
 * @param rows which of the images
 * @returns `[rows, height, width, channels] float32`, normalised
 */
export async function randomViews(
  images: readonly Image[],
  step: number,
  rows: readonly number[],
  { input, augmentation, seed }: ViewSettings,
): Promise<Float32Array<ArrayBuffer>> {
  const size = input.height * input.width * input.channels;
  const views = new Float32Array(rows.length * size);
  for (const [i, row] of rows.entries()) {
    const pixels = await augment(images[row], input, augmentation, randomStream(seed, "augment", step, i));
    normalize(pixels, input, views.subarray(i * size, (i + 1) * size));
  }
  return views;
}

/** A batch of the views of some rows; `labels` are those of all rows. */
export function toBatch(
  rows: readonly number[],
  values: Float32Array<ArrayBuffer>,
  labels: Int32Array,
  { height, width, channels }: InputSpec,
): Batch {
  return {
    values,
    shape: [rows.length, height, width, channels],
    labels: Int32Array.from(rows, (row) => labels[row]),
  };
}
