import type { LoggedStep } from "./run_log.ts";

/** Steps as columns, to draw curves of. */
export type Curves = Record<keyof LoggedStep, (number | null)[]>;

const MOST_POINTS = 3000;
const COLUMNS: (keyof LoggedStep)[] = [
  "step",
  "loss",
  "activeTripletShare",
  "meanPairwiseDistance",
  "embeddingNorm",
  "gradientNorm",
  "learningRate",
  "imagesPerSecond",
  "waitingShare",
];

/**
 * Steps as columns of at most 3000 points: of a longer run each point is the mean of some steps in a row. A figure that is not
 * finite, or was not logged, is null.
 */
export function curvesOf(steps: readonly LoggedStep[]): Curves {
  const run = Math.ceil(steps.length / MOST_POINTS);
  const starts = Array.from({ length: Math.ceil(steps.length / Math.max(1, run)) }, (_, i) => i * run);
  const columns = COLUMNS.map((name) => [
    name,
    starts.map((start) => {
      const values = steps.slice(start, start + run).map((step) => step[name]);
      return name === "step" ? values[values.length - 1] : mean(values);
    }),
  ]);
  return Object.fromEntries(columns);
}

function mean(values: (number | undefined)[]): number | null {
  const finite = values.filter((value) => value !== undefined && Number.isFinite(value)) as number[];
  if (finite.length === 0) return null;
  return Number((finite.reduce((sum, value) => sum + value, 0) / finite.length).toPrecision(6));
}
