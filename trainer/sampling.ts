import type * as tf from "@tensorflow/tfjs";
import type { InputSpec } from "../shared/card.ts";
import { fitPixels } from "../shared/image/mod.ts";
import type { Config } from "./config.ts";
import { labelsOf } from "./data/batches.ts";
import { hardClassSampler, neighboursOf } from "./data/hard_class_sampler.ts";
import { pairSampler } from "./data/pair_sampler.ts";
import type { Photo } from "./data/photos.ts";
import { enrolledSampler, pkSampler, type Sampler, shuffledSampler } from "./data/sampler.ts";
import { tripletSampler } from "./data/triplet_sampler.ts";
import { embedAll } from "./embed.ts";
import { BATCH_LAYOUTS } from "./losses/mod.ts";

/** Photos of an identity that say where it lies. */
const PHOTOS_PER_IDENTITY = 4;

/**
 * How a configuration draws its batches.
 *
 * @param labels identity of each row, those of the gallery last
 * @param enrolled how many rows are of the gallery
 * @param alike what {@link alikeIdentities} gave last
 */
export function samplerOf(
  labels: Int32Array,
  enrolled: number,
  config: Config,
  alike: number[][] | undefined,
): Sampler {
  const photos = labels.subarray(0, labels.length - enrolled);
  switch (BATCH_LAYOUTS[config.loss] ?? config.sampler) {
    case "pairs":
      return pairSampler(labels, config);
    case "triplets":
      return tripletSampler(labels, config);
    case "hard-classes": {
      const others = alike?.map((others) => Int32Array.from(others));
      return enrolledSampler(hardClassSampler(photos, others, config), labels, photos.length);
    }
    case "shuffled":
      return shuffledSampler(labels.length, config);
    case "pk":
      return enrolledSampler(pkSampler(photos, config), labels, photos.length);
  }
}

/** Images in a batch of a configuration. */
export function imagesPerBatch({ loss, sampler, batchSize, identitiesPerBatch, imagesPerIdentity }: Config): number {
  switch (BATCH_LAYOUTS[loss] ?? sampler) {
    case "pairs":
      return 2 * batchSize;
    case "triplets":
      return 3 * batchSize;
    case "shuffled":
      return batchSize;
    default:
      return identitiesPerBatch * imagesPerIdentity;
  }
}

/**
 * Which identities a network finds most alike, by a few photos of each.
 *
 * @returns for each identity, in the order of first appearance, others, the nearest first; as many as fill half a batch
 */
export async function alikeIdentities(
  model: tf.LayersModel,
  photos: readonly Photo[],
  input: InputSpec,
  { identitiesPerBatch }: Config,
): Promise<number[][]> {
  const seen = new Map<string, number>();
  const few = photos.filter(({ identity }) => {
    const before = seen.get(identity) ?? 0;
    seen.set(identity, before + 1);
    return before < PHOTOS_PER_IDENTITY;
  });
  const probes = await Promise.all(few.map(async ({ image }) => ({ pixels: await fitPixels(image, input) })));
  const embeddings = await embedAll(model, probes, input);
  return neighboursOf(embeddings, labelsOf(few), Math.floor(identitiesPerBatch / 2)).map((others) => [...others]);
}
