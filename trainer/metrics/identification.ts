import type { Neighbours } from "./neighbours.ts";
import { supportedRates } from "./rule_of_30.ts";
import { countAtOrBelow } from "./sorted.ts";
import { distanceAtFmr } from "./verification.ts";

/** Error rates of a search whose answer may be that nobody is there. */
export interface Identification {
  /** One for each false-positive rate that the probes support; none if there are too few, or if they coincide. */
  readonly at: readonly IdentificationRates[];
  /** The fewest identities that a search by someone not enrolled runs against: one is taken out of the gallery. */
  readonly galleryIdentities: number;
  readonly galleryImages: number;
  readonly probes: number;
  /** Probes with an image of their identity in the gallery. */
  readonly mated: number;
}

/** What a threshold lets through and what it holds back, in a search for the one nearest image. */
export interface IdentificationRates {
  /** Share of searches by someone not enrolled that return somebody: the most that the threshold allows. */
  readonly fpir: number;
  /** The threshold: the largest distance at which the nearest image is returned. */
  readonly distance: number;
  /** Share of searches by someone enrolled that do not return them. */
  readonly fnir: number;
}

/**
 * Open-set identification at rank 1 (Grother, Ngan and Hanaoka, NIST FRTE part 2: identification).
 *
 * Every probe searches twice. With its own identity taken out of the gallery it is a search by someone not enrolled, and an
 * image within the threshold is a false positive. With its identity there, a nearest image of another identity, or one
 * beyond the threshold, is a false negative; probes without an image of their own to find do not search so. The rates grow
 * with the gallery: they hold for one of this size.
 *
 * @param neighbours of each probe
 * @param galleryLabels identity of each row of the gallery
 * @param rates false-positive rates to find thresholds for, where 30 false positives would show; default 0.1 and 0.01
 * @param missed how many further probes gave no embedding: they return nobody
 */
export function identificationAt(
  neighbours: readonly Neighbours[],
  galleryLabels: ArrayLike<number>,
  rates: readonly number[] = [0.1, 0.01],
  missed = 0,
): Identification {
  const distances = (values: (number | undefined)[]) => Float64Array.from(values.filter((d) => d !== undefined)).sort();
  const nobody = new Array<number>(missed).fill(Infinity);
  const unmated = distances([...neighbours.map(({ wrong }) => wrong?.distance), ...nobody]);
  const returned = distances(neighbours.map(({ found, right }) => found ? right?.distance : undefined));
  const mated = neighbours.filter(({ right }) => right).length + missed;
  const at = supportedRates(unmated.length, rates).flatMap((fpir) => {
    const distance = distanceAtFmr({ genuine: returned, impostor: unmated }, fpir);
    return distance === undefined ? [] : [{ fpir, distance, fnir: 1 - countAtOrBelow(returned, distance) / mated }];
  });
  return {
    at,
    galleryIdentities: new Set(Array.from(galleryLabels)).size - 1,
    galleryImages: galleryLabels.length,
    probes: neighbours.length + missed,
    mated,
  };
}
