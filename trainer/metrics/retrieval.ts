import { DataError } from "../../shared/errors.ts";
import { countLabels, type Labelled, rowsOf } from "./labelled.ts";
import type { Neighbours } from "./neighbours.ts";
import { squaredDistances } from "./row_distances.ts";
import { belowCounter } from "./sorted.ts";

/** How well the nearest images are of the query's identity, as means over the queries. Every value is in 0..1. */
export interface Retrieval {
  /** By `k`: share of queries with an image of their identity among the `k` nearest. */
  readonly recallAt: Readonly<Record<number, number>>;
  /** Share of the `R` nearest that are of the query's identity, where `R` is how many of those there are. */
  readonly rPrecision: number;
  /** Mean average precision at R (Musgrave et al. 2020, A Metric Learning Reality Check). */
  readonly mapAtR: number;
  /** Queries that have an image of their identity to find, the missed ones too; the others are left out. */
  readonly queries: number;
  /** What every probe finds, in the order of the probes, those with nothing to find too. */
  readonly neighbours: readonly Neighbours[];
}

/**
 * Retrieval of every image among all the others.
 *
 * Where another identity lies at the same distance as the right one it ranks first, so a collapsed embedding scores 0 and
 * the order of the images does not matter. Time grows with the square of the images, memory with their number.
 *
 * @param ks the `k` of recall@k, default 1 and 5
 * @throws {DataError} if no identity has two images
 */
export function leaveOneOut(images: Labelled, ks: readonly number[] = [1, 5]): Retrieval {
  return retrieve(
    images,
    images,
    ks,
    true,
    "No identity has two images; retrieval needs several images of an identity.",
  );
}

/**
 * Retrieval of every probe in a separate gallery, such as photos in packshots. Ties as in {@linkcode leaveOneOut}.
 *
 * @param ks the `k` of recall@k, default 1 and 5
 * @throws {DataError} if no probe's identity is in the gallery
 */
export function galleryProbe(gallery: Labelled, probes: Labelled, ks: readonly number[] = [1, 5]): Retrieval {
  return retrieve(
    gallery,
    probes,
    ks,
    false,
    "No probe's identity is in the gallery; enrol the identities to be found.",
  );
}

function retrieve(
  gallery: Labelled,
  probes: Labelled,
  ks: readonly number[],
  skipSelf: boolean,
  none: string,
): Retrieval {
  const from = rowsOf(probes), to = rowsOf(gallery);
  if (from.dimensions !== to.dimensions) throw new RangeError("gallery and probes differ in dimensions");
  const labels = Float64Array.from(gallery.labels);
  const neighbours: Neighbours[] = [];
  const hits = ks.map(() => 0);
  let rPrecision = 0, mapAtR = 0, queries = 0;
  for (const squared of squaredDistances(from, to)) {
    const query = neighbours.length;
    const split = splitByIdentity(squared, labels, probes.labels[query], skipSelf ? query : -1);
    neighbours.push(neighboursIn(query, squared, split));
    if (split.same.length === 0) continue;
    const figures = rank(squared, labels, probes.labels[query], split.same);
    queries++;
    ks.forEach((k, i) => hits[i] += figures.firstRank <= k ? 1 : 0);
    rPrecision += figures.rPrecision;
    mapAtR += figures.averagePrecision;
  }
  if (queries === 0) throw new DataError(none);
  queries = queriesOf(gallery, probes, skipSelf);
  const recallAt = Object.fromEntries(ks.map((k, i) => [k, hits[i] / queries]));
  return { recallAt, rPrecision: rPrecision / queries, mapAtR: mapAtR / queries, queries, neighbours };
}

/** How many probes, with and without an embedding, have an image of their identity in the gallery, likewise. */
function queriesOf(gallery: Labelled, probes: Labelled, skipSelf: boolean): number {
  const all = ({ labels, missed = [] }: Labelled) => [...Array.from(labels), ...Array.from(missed)];
  const enrolled = countLabels(all(gallery));
  return all(probes).filter((label) => (enrolled.get(label) ?? 0) > (skipSelf ? 1 : 0)).length;
}

interface Split {
  /** Squared distances of the gallery's images of the identity, ascending. */
  same: Float64Array;
  /** Rows of the nearest image of the identity and of another, -1 if there is none. */
  right: number;
  wrong: number;
}

function splitByIdentity(squared: Float64Array, labels: Float64Array, identity: number, skip: number): Split {
  const same: number[] = [];
  let right = -1, wrong = -1;
  for (let i = 0; i < squared.length; i++) {
    if (labels[i] !== identity) {
      if (wrong < 0 || squared[i] < squared[wrong]) wrong = i;
    } else if (i !== skip) {
      if (right < 0 || squared[i] < squared[right]) right = i;
      same.push(squared[i]);
    }
  }
  return { same: Float64Array.from(same).sort(), right, wrong };
}

function neighboursIn(query: number, squared: Float64Array, { right, wrong }: Split): Neighbours {
  const neighbour = (row: number) => row < 0 ? undefined : { row, distance: Math.sqrt(squared[row]) };
  const found = right >= 0 && (wrong < 0 || squared[right] < squared[wrong]);
  return { query, right: neighbour(right), wrong: neighbour(wrong), found };
}

/** Ranks, from 1, the gallery's images of one identity; images of others at the same distance come first. */
function rank(squared: Float64Array, labels: Float64Array, identity: number, same: Float64Array) {
  const relevant = same.length, farthest = same[relevant - 1];
  const countBelow = belowCounter(same);
  const othersFrom = new Uint32Array(relevant + 1);
  for (let i = 0; i < squared.length; i++) {
    if (squared[i] <= farthest && labels[i] !== identity) othersFrom[countBelow(squared[i])]++;
  }
  const firstRank = 1 + othersFrom[0];
  let within = 0, precisions = 0;
  for (let rank = firstRank; rank <= relevant; rank += 1 + othersFrom[within]) precisions += ++within / rank;
  return { firstRank, rPrecision: within / relevant, averagePrecision: precisions / relevant };
}
