/** How the learning rate moves over a run. */
export interface Schedule {
  learningRate: number;
  schedule: "cosine" | "constant";
  warmupSteps: number;
  totalSteps: number;
}

/** The share of the learning rate that is left at the end. */
const FLOOR = 0.01;

/**
 * Linear warm-up, then the rate as it is, or its fall along a cosine to 1% (Loshchilov and Hutter 2017, "SGDR", equation 5,
 * one cycle).
 */
export function learningRateAt(step: number, { learningRate, schedule, warmupSteps, totalSteps }: Schedule): number {
  if (step < warmupSteps) return learningRate * (step + 1) / warmupSteps;
  if (schedule === "constant") return learningRate;
  const progress = (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps);
  return learningRate * (FLOOR + (1 - FLOOR) * 0.5 * (1 + Math.cos(Math.PI * Math.min(1, progress))));
}
