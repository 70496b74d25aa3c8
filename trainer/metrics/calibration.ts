import type { Calibration, Threshold } from "../../shared/card.ts";
import { DataError } from "../../shared/errors.ts";
import { type BootstrapOptions, bootstrapRatio } from "./bootstrap.ts";
import type { Pairs } from "./pairs.ts";
import { FEWEST_TRIALS, lowestSupportedRate, supportedRates } from "./rule_of_30.ts";
import { countAtOrBelow } from "./sorted.ts";
import { distanceAtFmr, falseMatchRate, falseNonMatchRate } from "./verification.ts";

const CALIBRATION_POINTS = 64;

/** Lowest false-match rate that the impostor pairs support, by the rule of 30. */
export function lowestSupportedFmr({ impostor }: Pairs): number {
  return lowestSupportedRate(impostor.length);
}

/**
 * Thresholds for the false-match rates among `rates` that the impostor pairs support, ascending, or for the lowest supported
 * rate, rounded up to a tenth, if they support none of them.
 *
 * The interval of `fnmr` is that of the threshold as it stands, by resampling identities ({@linkcode bootstrapRatio}). A
 * larger distance rejects no more, so its interval ends no higher than that of a smaller one.
 *
 * @param rates in 0..1
 * @throws {DataError} if there are fewer than 60 impostor pairs, or if so many of them coincide that no distance
 * separates any
 */
export function thresholdsAt(pairs: Pairs, rates: readonly number[], bootstrap: BootstrapOptions): Threshold[] {
  const supported = supportedRates(pairs.impostor.length, rates);
  if (supported.length === 0) {
    throw new DataError(
      `The test images give ${pairs.impostor.length} pairs of different identities, and a threshold needs at least ` +
        `${FEWEST_TRIALS}; add identities or images to the test set.`,
    );
  }
  const distances = supported.map((fmr) => ({ fmr, distance: distanceAtFmr(pairs, fmr) }));
  const thresholds = distances.flatMap(({ fmr, distance }) =>
    distance === undefined ? [] : [threshold(pairs, fmr, distance, bootstrap)]
  );
  if (thresholds.length === 0) {
    throw new DataError(
      "The embedding has collapsed: images of different identities lie at the same distance, so no threshold separates " +
        "them; train again with a lower learning rate or a larger margin.",
    );
  }
  let high = 1;
  return thresholds.map((threshold) => ({ ...threshold, fnmrHigh: high = Math.min(high, threshold.fnmrHigh) }));
}

/**
 * The false-match rate as a function of the distance, at about 64 rates spaced evenly in the logarithm, from the lowest
 * supported to 1, and at the thresholds themselves.
 *
 * @param thresholds those of {@linkcode thresholdsAt}, where the curve is exact
 */
export function calibrate(pairs: Pairs, thresholds: readonly Threshold[]): Calibration {
  const { impostor } = pairs;
  const lowest = lowestSupportedFmr(pairs);
  const spaced = Array.from({ length: CALIBRATION_POINTS }, (_, i) => {
    const rate = lowest ** (1 - i / (CALIBRATION_POINTS - 1));
    return impostor[Math.min(impostor.length, Math.round(rate * impostor.length)) - 1];
  });
  const distances = new Set([...spaced, ...thresholds.map((threshold) => threshold.distance)]);
  const distance = [...distances].filter(Number.isFinite).sort((a, b) => a - b);
  return { distance, fmr: distance.map((d) => falseMatchRate(pairs, d)) };
}

function threshold(pairs: Pairs, fmr: number, distance: number, bootstrap: BootstrapOptions): Threshold {
  const rejected = pairs.genuineByIdentity.map((sorted) => sorted.length - countAtOrBelow(sorted, distance));
  const total = pairs.genuineByIdentity.map((sorted) => sorted.length);
  const { low, high } = bootstrapRatio(rejected, total, bootstrap);
  return { fmr, distance, fnmr: falseNonMatchRate(pairs, distance), fnmrLow: low, fnmrHigh: high };
}
