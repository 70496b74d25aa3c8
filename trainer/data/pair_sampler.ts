import { randomStream } from "../random.ts";
import type { Sampler } from "./sampler.ts";
import { byColumn, drawOne, drawOther, drawTwo, rowsByIdentity, shuffledPasses } from "./sampler_draws.ts";

/**
 * Batches of pairs for `siamese-bce`, as many genuine as impostor, in turn: the first images of all pairs, then the
 * second images.
 *
 * A genuine pair is two different images of an identity that has two; an impostor pair an image of an identity, which
 * may have just that one, and an image of a random other. Either kind goes through the identities in shuffled passes of
 * its own, so all are shown equally often, however many images they have.
 *
 * A batch is a function of the step alone.
 *
 * @param labels identity of each row
 * @param options.batchSize pairs in a batch, which has twice as many rows
 * @throws {DataError} if there are not two rows of one identity and one of another
 */
export function pairSampler(
  labels: ArrayLike<number>,
  { batchSize, seed }: { batchSize: number; seed: number },
): Sampler {
  const rows = rowsByIdentity(labels);
  const withTwo = rows.filter((own) => own.length > 1);
  const genuineAt = shuffledPasses(withTwo.length, seed, "genuine pairs");
  const impostorAt = shuffledPasses(rows.length, seed, "impostor pairs");
  const pairAt = (place: number) => {
    const random = randomStream(seed, "pair", place);
    const half = Math.floor(place / 2);
    if (place % 2 === 0) return drawTwo(withTwo[genuineAt(half)], random);
    const identity = impostorAt(half);
    return [identity, drawOther(identity, rows.length, random)].map((one) => drawOne(rows[one], random));
  };
  return (step) => byColumn(Array.from({ length: batchSize }, (_, i) => pairAt(step * batchSize + i)));
}
