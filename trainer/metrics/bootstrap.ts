import { randomStream } from "../random.ts";

/** A seeded bootstrap. */
export interface BootstrapOptions {
  readonly seed: number;
  /** Default 2000. */
  readonly resamples?: number;
}

/**
 * 95% interval of a pooled ratio, by a percentile bootstrap over groups: whole groups are drawn with replacement, so that
 * the dependence of the pairs of one identity widens the interval as it should (Bolle, Ratha and Pankanti 2004, Error
 * analysis of pattern recognition systems: the subsets bootstrap).
 *
 * Resampling cannot show an error that did not occur, or a success that did not: where the ratio is 0 or 1 the far end is
 * that of the exact binomial interval on the number of groups (Clopper and Pearson 1934), near the rule of three.
 *
 * @param numerators of each group
 * @param denominators of each group, positive
 */
export function bootstrapRatio(
  numerators: ArrayLike<number>,
  denominators: ArrayLike<number>,
  { seed, resamples = 2000 }: BootstrapOptions,
): { low: number; high: number } {
  const groups = numerators.length;
  const random = randomStream(seed, "bootstrap");
  const ratios = new Float64Array(resamples);
  for (let r = 0; r < resamples; r++) {
    let numerator = 0, denominator = 0;
    for (let g = 0; g < groups; g++) {
      const drawn = Math.floor(random() * groups);
      numerator += numerators[drawn];
      denominator += denominators[drawn];
    }
    ratios[r] = numerator / denominator;
  }
  ratios.sort();
  const low = ratios[Math.floor(0.025 * (resamples - 1))], high = ratios[Math.ceil(0.975 * (resamples - 1))];
  const unseen = 1 - 0.025 ** (1 / groups);
  if (ratios[resamples - 1] === 0) return { low: 0, high: unseen };
  if (ratios[0] === 1) return { low: 1 - unseen, high: 1 };
  return { low, high };
}
