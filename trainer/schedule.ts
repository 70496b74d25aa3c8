/** How the learning rate moves over a run. */
export interface LearningRateSchedule {
  /** The rate at its highest: after the warm-up. */
  learningRate: number;
  /** `cosine` falls to 1% at the end, `step` is multiplied by `decayFactor` now and then, `constant` stays. */
  schedule: "cosine" | "step" | "constant";
  /** Steps of linear rise to the learning rate; 0 for none. */
  warmupSteps: number;
  /** Steps of the whole run, the warm-up included: where `cosine` ends. */
  totalSteps: number;
  /** Steps, counted from the first of the run, between two falls of `step`; by default a third of the run. */
  decaySteps?: number | undefined;
  /** What `step` multiplies the rate by, default 0.1. */
  decayFactor?: number | undefined;
}

/** The share of the learning rate that is left at the end of a cosine. */
const FLOOR = 0.01;

/**
 * The learning rate of a step: a linear warm-up (Goyal et al. 2017, section 2.2), then the rate as it is, or its fall along a
 * cosine to 1% (Loshchilov and Hutter 2017, "SGDR", equation 5, one cycle), or by a factor every so many steps (He et al.
 * 2016, section 3.4).
 *
 * @param step steps done before this one
 */
export function learningRateAt(step: number, options: LearningRateSchedule): number {
  const { learningRate, schedule, warmupSteps } = options;
  if (step < warmupSteps) return learningRate * (step + 1) / warmupSteps;
  return learningRate * SHARES[schedule](step, options);
}

/** The share of the learning rate that is left at a step after the warm-up. */
const SHARES: Record<
  LearningRateSchedule["schedule"],
  (step: number, options: LearningRateSchedule) => number
> = {
  constant: () => 1,
  cosine(step, { warmupSteps, totalSteps }) {
    const progress = (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps);
    return FLOOR + (1 - FLOOR) * 0.5 * (1 + Math.cos(Math.PI * Math.min(1, progress)));
  },
  step: (step, { totalSteps, decaySteps = Math.ceil(totalSteps / 3), decayFactor = 0.1 }) =>
    decayFactor ** Math.floor(step / decaySteps),
};
