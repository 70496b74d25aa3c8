/** Errors that must be seen before a rate is claimed: within 30% of the truth with 90% confidence. */
const RULE_OF_30 = 30;

/** The fewest trials that any rate up to a half can be claimed from. */
export const FEWEST_TRIALS = 2 * RULE_OF_30;

/**
 * Lowest error rate that this many trials support: 30 errors (Doddington, Przybocki, Martin and Reynolds 2000, The NIST
 * speaker recognition evaluation).
 */
export function lowestSupportedRate(trials: number): number {
  return RULE_OF_30 / trials;
}

/**
 * Those of `rates` that this many trials support, ascending, or the lowest supported rate, rounded up to a tenth, if they
 * support none of them.
 *
 * @param rates in 0..1
 * @returns none if there are fewer than 60 trials
 */
export function supportedRates(trials: number, rates: readonly number[]): number[] {
  if (trials < FEWEST_TRIALS) return [];
  const lowest = lowestSupportedRate(trials);
  const supported = rates.filter((rate) => rate >= lowest * (1 - 1e-9)).sort((a, b) => a - b);
  return supported.length > 0 ? supported : [Math.ceil(lowest * 10 - 1e-9) / 10];
}
