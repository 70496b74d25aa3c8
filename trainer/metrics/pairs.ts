import { type Random, randomStream } from "../random.ts";
import { countLabels, type Labelled, rowsOf } from "./labelled.ts";
import { squaredRowDistance } from "./row_distances.ts";
import { countBelow, quantile } from "./sorted.ts";

/** Euclidean distances of pairs of images, ascending; infinite where one of the two gave no embedding. */
export interface Pairs {
  /** Pairs of one identity. */
  readonly genuine: Float64Array;
  /** Pairs of two identities. */
  readonly impostor: Float64Array;
  /** The genuine distances again, ascending, one array for each identity that has a pair. */
  readonly genuineByIdentity: readonly Float64Array[];
  /** How many pairs there are in all, where these are a sample of them. */
  readonly sampledFrom?: { readonly genuine: number; readonly impostor: number };
}

/** Settings of {@linkcode pairDistances}. */
export interface PairOptions {
  /** Of the sample; the same seed and the same order of images give the same sample. */
  readonly seed: number;
  /** The most pairs of each kind; default 4,000,000. */
  readonly most?: number;
}

/**
 * Distances of all `n (n - 1) / 2` pairs, or, where there are more than `most` of a kind, of a sample of that kind: drawn
 * uniformly without replacement, the genuine pairs from each identity in proportion to how many it has, at least one. 16 bytes
 * a genuine pair and 8 an impostor pair.
 *
 * The identities come in an order that depends on their distances alone, so that a seeded resampling of them does not
 * depend on the order of the images. Which pairs a sample holds does depend on it.
 */
export function pairDistances(images: Labelled, { seed, most = 4_000_000 }: PairOptions): Pairs {
  const rows = rowsOf(images), { labels } = images, n = labels.length;
  const perIdentity = [...countLabels(labels)].map(([label, count]) => [label, pairsOf(count)] as const);
  const genuines = perIdentity.reduce((sum, [, pairs]) => sum + pairs, 0);
  const impostors = n * (n - 1) / 2 - genuines;
  const random = randomStream(seed, "pairs"), share = Math.min(1, most / genuines);
  const genuine = new Map(
    perIdentity.map(([label, pairs]) =>
      [label, sample(pairs, Math.min(pairs, Math.max(1, Math.round(share * pairs))), random)] as const
    ),
  );
  const impostor = sample(impostors, Math.min(impostors, most), random);
  for (let i = 0; i < n; i++) {
    const own = genuine.get(labels[i])!;
    for (let j = i + 1; j < n; j++) {
      const kind = labels[i] === labels[j] ? own : impostor;
      if (kind.takesNext()) kind.push(Math.sqrt(squaredRowDistance(rows, i, j)));
    }
  }
  const lost = pairsOfMissed(images);
  const genuineByIdentity = [...new Set([...genuine.keys(), ...lost.genuine.keys()])]
    .map((label) => withInfinite(genuine.get(label)?.values, share * (lost.genuine.get(label) ?? 0)))
    .filter(({ length }) => length > 0);
  genuineByIdentity.sort((a, b) => a.length - b.length || Math.sign(mean(a) - mean(b)) || 0);
  return {
    genuine: concatenate(genuineByIdentity).sort(),
    impostor: withInfinite(impostor.values, Math.min(1, most / impostors) * lost.impostor),
    genuineByIdentity,
    ...(genuines > most || impostors > most ? { sampledFrom: { genuine: genuines, impostor: impostors } } : {}),
  };
}

/** How many pairs have an image without an embedding: genuine ones by identity, and impostors in all. */
function pairsOfMissed({ labels, missed = [] }: Labelled): { genuine: Map<number, number>; impostor: number } {
  const found = countLabels(labels), all = countLabels([...Array.from(labels), ...Array.from(missed)]);
  const genuine = new Map(
    [...countLabels(missed).keys()].map((label) => [label, pairsOf(all.get(label)!) - pairsOf(found.get(label) ?? 0)]),
  );
  const every = pairsOf(labels.length + missed.length) - pairsOf(labels.length);
  return { genuine, impostor: [...genuine.values()].reduce((rest, pairs) => rest - pairs, every) };
}

function pairsOf(images: number): number {
  return images * (images - 1) / 2;
}

/** Ascending, with so many infinite distances at the end. */
function withInfinite(distances: Float64Array = new Float64Array(), count: number): Float64Array {
  const all = new Float64Array(distances.length + Math.round(count)).fill(Infinity);
  all.set(distances.sort());
  return all;
}

/** Room for a uniform sample of things that come one after another (Knuth, The Art of Computer Programming 3.4.2, S). */
function sample(of: number, size: number, random: Random) {
  const values = new Float64Array(size);
  let left = of, taken = 0, wanted = size;
  return {
    values,
    takesNext(): boolean {
      const takes = wanted === left || random() * left < wanted;
      left--;
      if (takes) wanted--;
      return takes;
    },
    push(value: number): void {
      values[taken++] = value;
    },
  };
}

/** A distribution of distances in seven numbers. */
export interface DistanceSummary {
  readonly pairs: number;
  readonly mean: number;
  readonly min: number;
  readonly p05: number;
  readonly median: number;
  readonly p95: number;
  readonly max: number;
}

/** @param distances ascending, at least one finite; the infinite ones are left out */
export function summarize(distances: Float64Array): DistanceSummary {
  const sorted = distances.subarray(0, countBelow(distances, Infinity));
  return {
    pairs: sorted.length,
    mean: mean(sorted),
    min: sorted[0],
    p05: quantile(sorted, 0.05),
    median: quantile(sorted, 0.5),
    p95: quantile(sorted, 0.95),
    max: sorted[sorted.length - 1],
  };
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function concatenate(parts: readonly Float64Array[]): Float64Array {
  const whole = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
