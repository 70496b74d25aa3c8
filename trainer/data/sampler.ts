import { permutation, randomStream } from "../random.ts";

/** Which rows of a data set form a batch. */
export type Sampler = (step: number) => number[];

/**
 * Plain batches: shuffled passes over all rows. Whether a batch has positives is left to chance.
 *
 * @param count rows of the data set
 */
export function shuffledSampler(count: number, { batchSize, seed }: { batchSize: number; seed: number }): Sampler {
  const perBatch = Math.min(batchSize, count);
  const batchesPerPass = Math.floor(count / perBatch);
  let cached = { pass: -1, order: [] as number[] };
  return (step) => {
    const pass = Math.floor(step / batchesPerPass);
    if (pass !== cached.pass) cached = { pass, order: permutation(count, randomStream(seed, "rows", pass)) };
    const first = (step % batchesPerPass) * perBatch;
    return cached.order.slice(first, first + perBatch);
  };
}

/** How many identities, and of each how many images, a batch has. */
export interface PkOptions {
  identitiesPerBatch: number;
  imagesPerIdentity: number;
  seed: number;
}

/**
 * PK batches: P identities and K images of each (Hermans et al. 2017, "In Defense of the Triplet Loss", section 2), so that
 * every batch has positives. Identities are drawn in shuffled passes over all of them; the images of an identity in
 * shuffled rounds over all of its images, repeated only if it has fewer than K. An identity with a single image gives just that one: a negative.
 *
 * A batch is a function of the step alone, so a checkpoint needs no state of the sampler.
 *
 * @param identities identity of each row
 */
export function pkSampler(identities: ArrayLike<number>, options: PkOptions): Sampler {
  const rows = rowsByIdentity(identities);
  const perBatch = Math.min(options.identitiesPerBatch, rows.length);
  const batchesPerPass = Math.floor(rows.length / perBatch);
  return (step) => {
    const pass = Math.floor(step / batchesPerPass);
    const order = permutation(rows.length, randomStream(options.seed, "identities", pass));
    const first = (step % batchesPerPass) * perBatch;
    return order.slice(first, first + perBatch).flatMap((identity) => {
      const own = rows[identity];
      return own.length === 1 ? own : drawImages(own, identity, pass, options);
    });
  };
}

/** Like a pass over the identities, a round over an identity's images leaves out, at random, what does not fill a draw. */
function drawImages(rows: number[], identity: number, pass: number, { imagesPerIdentity, seed }: PkOptions): number[] {
  const drawsPerRound = Math.max(1, Math.floor(rows.length / imagesPerIdentity));
  const round = Math.floor(pass / drawsPerRound);
  const order = permutation(rows.length, randomStream(seed, "images", identity, round));
  const first = (pass % drawsPerRound) * imagesPerIdentity;
  return Array.from({ length: imagesPerIdentity }, (_, k) => rows[order[(first + k) % rows.length]]);
}

function rowsByIdentity(identities: ArrayLike<number>): number[][] {
  const rows = new Map<number, number[]>();
  for (let row = 0; row < identities.length; row++) {
    const identity = identities[row];
    const own = rows.get(identity);
    if (own) own.push(row);
    else rows.set(identity, [row]);
  }
  return [...rows.values()];
}
