import { permutation, randomStream } from "../random.ts";
import { rowsByIdentity, shuffledPasses } from "./sampler_draws.ts";

/** Which rows of a data set form the batch of a step. */
export type Sampler = (step: number) => number[];

/**
 * Plain batches: shuffled passes over all rows, so identities are shown in proportion to the images that they have
 * (instance-balanced sampling of Kang et al. 2020, "Decoupling Representation and Classifier for Long-Tailed
 * Recognition"). Whether a batch has positives is left to chance.
 *
 * @param count rows of the data set
 */
export function shuffledSampler(count: number, { batchSize, seed }: { batchSize: number; seed: number }): Sampler {
  const perBatch = Math.min(batchSize, count);
  const batchesPerPass = Math.floor(count / perBatch);
  const rowAt = shuffledPasses(count, seed, "rows");
  return (step) => {
    const pass = Math.floor(step / batchesPerPass);
    const first = pass * count + (step % batchesPerPass) * perBatch;
    return Array.from({ length: perBatch }, (_, i) => rowAt(first + i));
  };
}

/** How many identities, and of each how many images, a batch has. */
export interface PkOptions {
  identitiesPerBatch: number;
  imagesPerIdentity: number;
  seed: number;
}

/**
 * PK batches: P identities and K images of each (Hermans et al. 2017, "In Defense of the Triplet Loss", section 2), so
 * that every batch has positives. Identities are drawn in shuffled passes over all of them, equally often however many
 * images they have (class-balanced sampling of Kang et al. 2020, "Decoupling Representation and Classifier for
 * Long-Tailed Recognition"); the images of an identity in shuffled rounds over all of its images, repeated only if it
 * has fewer than K. An identity with a single image gives just that one: a negative.
 *
 * A batch is a function of the step alone, so a checkpoint needs no state of the sampler.
 *
 * @param identities identity of each row
 * @throws {DataError} if there are not two rows of one identity and one of another
 */
export function pkSampler(identities: ArrayLike<number>, options: PkOptions): Sampler {
  const rows = rowsByIdentity(identities);
  const perBatch = Math.min(options.identitiesPerBatch, rows.length);
  const batchesPerPass = Math.floor(rows.length / perBatch);
  const identityAt = shuffledPasses(rows.length, options.seed, "identities");
  return (step) => {
    const pass = Math.floor(step / batchesPerPass);
    const first = pass * rows.length + (step % batchesPerPass) * perBatch;
    return Array.from({ length: perBatch }, (_, i) => identityAt(first + i)).flatMap((identity) => {
      const own = rows[identity];
      return own.length === 1 ? own : drawImages(own, identity, pass, options);
    });
  };
}

/**
 * Like a pass over the identities, a round over an identity's images leaves out, at random, what does not fill a draw.
 */
function drawImages(rows: number[], identity: number, pass: number, { imagesPerIdentity, seed }: PkOptions): number[] {
  const drawsPerRound = Math.max(1, Math.floor(rows.length / imagesPerIdentity));
  const round = Math.floor(pass / drawsPerRound);
  const order = permutation(rows.length, randomStream(seed, "images", identity, round));
  const first = (pass % drawsPerRound) * imagesPerIdentity;
  return Array.from({ length: imagesPerIdentity }, (_, k) => rows[order[(first + k) % rows.length]]);
}

/**
 * Batches in which one image of each identity is from the gallery, where that has some, so that the network learns to find
 * photos by what is enrolled, such as packshots.
 *
 * @param sampler of the rows that are not of the gallery, those of an identity together; a single one stays, beside the gallery's
 * @param identities identity of each row, those of the gallery last
 * @param first the first row of the gallery
 */
export function enrolledSampler(sampler: Sampler, identities: ArrayLike<number>, first: number): Sampler {
  const enrolled = new Map<number, number[]>();
  for (let row = first; row < identities.length; row++) {
    const own = enrolled.get(identities[row]);
    if (own) own.push(row);
    else enrolled.set(identities[row], [row]);
  }
  return (step) => {
    const rows = sampler(step);
    const firstOf = new Map(rows.map((row, i) => [identities[row], i] as const).reverse());
    return rows.flatMap((row, i) => {
      const own = enrolled.get(identities[row]);
      if (own === undefined || firstOf.get(identities[row]) !== i) return row;
      const alone = identities[rows[i + 1]] !== identities[row];
      return alone ? [row, own[step % own.length]] : own[step % own.length];
    });
  };
}
