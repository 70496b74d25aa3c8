import { randomStream } from "../random.ts";
import type { Sampler } from "./sampler.ts";
import { byColumn, drawOne, drawOther, drawTwo, rowsByIdentity, shuffledPasses } from "./sampler_draws.ts";

/**
 * Batches of given triplets for `triplet-explicit`: the anchors of all triplets, then the positives, then the
 * negatives.
 *
 * The identities that have two images are the anchors' in shuffled passes, all equally often; anchor and positive are
 * two different images of it, at random. The negative is a random image of a random other identity, which may have just
 * that one.
 *
 * A batch is a function of the step alone.
 *
 * @param labels identity of each row
 * @param options.batchSize triplets in a batch, which has three times as many rows
 * @throws {DataError} if there are not two rows of one identity and one of another
 */
export function tripletSampler(
  labels: ArrayLike<number>,
  { batchSize, seed }: { batchSize: number; seed: number },
): Sampler {
  const rows = rowsByIdentity(labels);
  const withPositives = [...rows.keys()].filter((identity) => rows[identity].length > 1);
  const anchorAt = shuffledPasses(withPositives.length, seed, "anchors");
  const tripletAt = (place: number) => {
    const random = randomStream(seed, "triplet", place);
    const identity = withPositives[anchorAt(place)];
    const negatives = rows[drawOther(identity, rows.length, random)];
    return [...drawTwo(rows[identity], random), drawOne(negatives, random)];
  };
  return (step) => byColumn(Array.from({ length: batchSize }, (_, i) => tripletAt(step * batchSize + i)));
}
