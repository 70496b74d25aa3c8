import { DataError } from "../../shared/errors.ts";
import { permutation, type Random, randomStream } from "../random.ts";

/**
 * The rows of each identity, identities in the order of their first appearance.
 *
 * @throws {DataError} if there are not two rows of one identity and one of another, which it takes to learn from any
 * pair or triplet
 */
export function rowsByIdentity(labels: ArrayLike<number>): number[][] {
  const byLabel = new Map<number, number[]>();
  for (let row = 0; row < labels.length; row++) {
    const own = byLabel.get(labels[row]);
    if (own) own.push(row);
    else byLabel.set(labels[row], [row]);
  }
  const rows = [...byLabel.values()];
  if (rows.length < 2) {
    throw new DataError(
      `All ${labels.length} photos to train on are of one identity, so no two can be told apart: add photos of another.`,
    );
  }
  if (rows.every((own) => own.length === 1)) {
    throw new DataError(
      `None of the ${rows.length} identities to train on has two photos, so none can be recognised: add a second photo of some.`,
    );
  }
  return rows;
}

/**
 * The numbers 0 to `count - 1` in shuffled passes over all of them, each pass in an order of its own.
 *
 * @param purpose tells these passes from others of the same seed
 * @returns the number at a place in the endless row of passes
 */
export function shuffledPasses(count: number, seed: number, purpose: string): (place: number) => number {
  let cached = { pass: -1, order: [] as number[] };
  return (place) => {
    const pass = Math.floor(place / count);
    if (pass !== cached.pass) cached = { pass, order: permutation(count, randomStream(seed, purpose, pass)) };
    return cached.order[place % count];
  };
}

/** One of the entries, each as likely as the others. */
export function drawOne<T>(entries: readonly T[], random: Random): T {
  return entries[Math.floor(random() * entries.length)];
}

/** Two entries at different places. */
export function drawTwo<T>(entries: readonly T[], random: Random): [T, T] {
  const first = Math.floor(random() * entries.length);
  return [entries[first], entries[drawOther(first, entries.length, random)]];
}

/** A number from 0 to `count - 1` other than the given one. */
export function drawOther(number: number, count: number, random: Random): number {
  return (number + 1 + Math.floor(random() * (count - 1))) % count;
}

/** The first entries of all tuples, then the second entries, and so on. */
export function byColumn(tuples: readonly (readonly number[])[]): number[] {
  return tuples[0].flatMap((_, column) => tuples.map((tuple) => tuple[column]));
}
