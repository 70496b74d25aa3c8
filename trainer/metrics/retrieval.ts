import { DataError } from "../../shared/errors.ts";
import { dimensionsOf, type Labelled, rowDistance } from "./labelled.ts";
import { countBelow } from "./sorted.ts";

/** How well the nearest images are of the query's identity, as means over the queries. Every value is in 0..1. */
export interface Retrieval {
  /** By `k`: share of queries with an image of their identity among the `k` nearest. */
  readonly recallAt: Readonly<Record<number, number>>;
  /** Share of the `R` nearest that are of the query's identity, where `R` is how many of those there are. */
  readonly rPrecision: number;
  /** Mean average precision at R (Musgrave et al. 2020, A Metric Learning Reality Check). */
  readonly mapAtR: number;
  /** Queries that have an image of their identity to find; the others are left out. */
  readonly queries: number;
}

/**
 * Retrieval of every image among all the others.
 *
 * Where another identity lies at the same distance as the right one it ranks first, so a collapsed embedding scores 0 and
 * the order of the images does not matter.
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
  const dimensions = dimensionsOf(gallery);
  if (dimensionsOf(probes) !== dimensions) throw new RangeError("gallery and probes differ in dimensions");
  const hits = ks.map(() => 0);
  let rPrecision = 0, mapAtR = 0, queries = 0;
  const row = new Float64Array(gallery.labels.length);
  for (let probe = 0; probe < probes.labels.length; probe++) {
    for (let i = 0; i < row.length; i++) {
      row[i] = rowDistance(probes.embeddings, probe, gallery.embeddings, i, dimensions);
    }
    const ranks = ranksOfIdentity(row, gallery.labels, probes.labels[probe], skipSelf ? probe : -1);
    const relevant = ranks.length;
    if (relevant === 0) continue;
    queries++;
    ks.forEach((k, i) => hits[i] += ranks[0] <= k ? 1 : 0);
    const within = ranks.filter((rank) => rank <= relevant);
    rPrecision += within.length / relevant;
    mapAtR += within.reduce((sum, rank, i) => sum + (i + 1) / rank, 0) / relevant;
  }
  if (queries === 0) throw new DataError(none);
  const recallAt = Object.fromEntries(ks.map((k, i) => [k, hits[i] / queries]));
  return { recallAt, rPrecision: rPrecision / queries, mapAtR: mapAtR / queries, queries };
}

/** Ascending ranks, from 1, of the gallery's images of one identity; images of others at the same distance come first. */
function ranksOfIdentity(row: Float64Array, labels: ArrayLike<number>, identity: number, skip: number): number[] {
  const same: number[] = [];
  for (let i = 0; i < row.length; i++) if (labels[i] === identity && i !== skip) same.push(row[i]);
  const sorted = Float64Array.from(same).sort();
  const othersFrom = new Uint32Array(sorted.length + 1);
  for (let i = 0; i < row.length; i++) if (labels[i] !== identity) othersFrom[countBelow(sorted, row[i])]++;
  let others = 0;
  return Array.from(sorted, (_, i) => i + 1 + (others += othersFrom[i]));
}
