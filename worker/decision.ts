import type { Calibration, Card, Threshold } from "../shared/card.ts";

/** The false-match rate that is asked for where a request names none. */
export const DEFAULT_FMR = 0.001;

/**
 * The distance at or below which two images are called the same, for a false-match rate.
 *
 * A rate that the card lists has exactly its distance. Between the points of the calibration, log(rate) is linear in the
 * distance. A rate below the lowest that the number of impostor pairs supports gets distance 0, that of the very same image,
 * for no distance above it was shown to keep that rate: a decision is never looser than was asked. A rate above the highest
 * of the calibration gets the highest, and `fmr` says which.
 *
 * @param fmr above 0 and below 1
 */
export function thresholdAt(
  card: Pick<Card, "thresholds" | "calibration">,
  fmr: number,
): Pick<Threshold, "fmr" | "distance"> {
  const { distance: distances, fmr: rates } = card.calibration;
  const last = rates.length - 1;
  if (fmr < rates[0]) return { fmr, distance: 0 };
  const listed = card.thresholds.find((threshold) => threshold.fmr === fmr);
  if (listed !== undefined) return { fmr, distance: listed.distance };
  if (fmr >= rates[last]) return { fmr: rates[last], distance: distances[last] };
  const i = rates.findLastIndex((rate) => rate <= fmr);
  const share = Math.log(fmr / rates[i]) / Math.log(rates[i + 1] / rates[i]);
  return { fmr, distance: distances[i] + share * (distances[i + 1] - distances[i]) };
}

/** What a request may ask of the distance at which two images are called the same. */
export interface Strictness {
  fmr?: number | undefined;
  maxDistance?: number | undefined;
}

/**
 * The distance at or below which two images are called the same: for a false-match rate, by default `DEFAULT_FMR`, or a
 * distance with the rate that it has. Of both the nearer one holds.
 */
export function thresholdFor(
  card: Pick<Card, "thresholds" | "calibration">,
  { fmr, maxDistance }: Strictness,
): Pick<Threshold, "fmr" | "distance"> {
  const byRate = thresholdAt(card, fmr ?? DEFAULT_FMR);
  if (maxDistance === undefined || (fmr !== undefined && byRate.distance <= maxDistance)) return byRate;
  return { fmr: falseMatchRate(card.calibration, maxDistance), distance: maxDistance };
}

/** The largest distance of two unit vectors. */
const FARTHEST = 2;

/**
 * What somebody learns of a distance who may not see it: the farther edge of its band. The edges are the distances that the
 * card has thresholds for, so that a climb toward an enrolled embedding finds nothing to follow between them.
 */
export function bandOf({ thresholds }: Pick<Card, "thresholds">, distance: number): number {
  if (distance === 0) return 0;
  return thresholds.find((threshold) => distance <= threshold.distance)?.distance ?? FARTHEST;
}

/** Whether a distance is in the outermost band, which tells nothing of it. */
export function isBeyondBands({ thresholds }: Pick<Card, "thresholds">, distance: number): boolean {
  return distance > Math.max(...thresholds.map((threshold) => threshold.distance));
}

/**
 * As {@link thresholdFor}, at an edge of a band: that of the highest rate of the card which is not above the one asked for.
 */
export function bandedThresholdFor(
  card: Pick<Card, "thresholds" | "calibration">,
  fmr: number = DEFAULT_FMR,
): Pick<Threshold, "fmr" | "distance"> {
  const threshold = card.thresholds.findLast((threshold) => threshold.fmr <= fmr);
  return threshold === undefined ? { fmr, distance: 0 } : { fmr: threshold.fmr, distance: threshold.distance };
}

/**
 * The share of impostor pairs at a distance or nearer: the same curve, the other way. Nearer than its first point it stays
 * at the first rate, for no lower one was measured; farther than its last point it is 1.
 */
export function falseMatchRate({ distance: distances, fmr: rates }: Calibration, distance: number): number {
  if (distance > distances[distances.length - 1]) return 1;
  const i = distances.findLastIndex((at) => at <= distance);
  if (i < 0) return rates[0];
  if (i === distances.length - 1) return rates[i];
  const share = (distance - distances[i]) / (distances[i + 1] - distances[i]);
  return rates[i] * (rates[i + 1] / rates[i]) ** share;
}

/**
 * The probability that somebody who is not enrolled finds at least one of `subjects` subjects as near as this:
 * `1 - (1 - fmr)^subjects`, accurate for small rates too.
 */
export function falseMatchProbability(fmr: number, subjects: number): number {
  if (subjects === 0) return 0;
  return fmr >= 1 ? 1 : -Math.expm1(subjects * Math.log1p(-fmr));
}
