import type { InputSpec } from "../../shared/card.ts";
import { normalize } from "../../shared/image/mod.ts";
import { concatenate } from "../concatenate.ts";
import { randomStream } from "../random.ts";
import { augment, type Augmentation } from "./augment.ts";
import type { Photo } from "./photos.ts";
import type { Sampler } from "./sampler.ts";

/** What one training step sees. */
export interface Batch {
  /** What the network takes, normalised: `[rows, height, width, channels] float32`. */
  values: Float32Array<ArrayBuffer>;
  shape: [rows: number, height: number, width: number, channels: number];
  /** Identity of each row, `[rows] int32`. */
  labels: Int32Array;
}

/** The identities of photos as numbers, in the order of their first appearance. */
export function labelsOf(photos: { identity: string }[]): Int32Array {
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
  photos: Photo[],
  input: InputSpec,
  sampler: Sampler,
  augmentation: Augmentation,
  seed: number,
): (step: number) => Batch {
  const labels = labelsOf(photos);
  const { height, width, channels } = input;
  return (step) => {
    const rows = sampler(step);
    const views = rows.map((row, i) =>
      normalize(augment(photos[row].image, input, augmentation, randomStream(seed, "augment", step, i)), input)
    );
    return {
      values: concatenate(views),
      shape: [rows.length, height, width, channels],
      labels: Int32Array.from(rows, (row) => labels[row]),
    };
  };
}
