import { lowestSupportedFmr } from "./calibration.ts";
import type { Pairs } from "./pairs.ts";
import { countBelow } from "./sorted.ts";
import { falseMatchRate, falseNonMatchRate } from "./verification.ts";

/** How many distances lie in bins of one width that begin at 0. */
export interface Histogram {
  readonly width: number;
  readonly genuine: number[];
  readonly impostor: number[];
}

const BINS = 64;

/** Counts genuine and impostor distances in 64 bins up to the largest distance. */
export function distanceHistogram({ genuine, impostor }: Pairs): Histogram {
  const finite = (distances: Float64Array) => distances.subarray(0, countBelow(distances, Infinity));
  const width = Math.max(finite(genuine).at(-1) ?? 0, finite(impostor).at(-1) ?? 0) / BINS || 1;
  const count = (distances: Float64Array) => {
    const counts = new Array<number>(BINS).fill(0);
    for (const distance of finite(distances)) counts[Math.min(BINS - 1, Math.floor(distance / width))]++;
    return counts;
  };
  return { width, genuine: count(genuine), impostor: count(impostor) };
}

/** Error rates as the distance threshold grows: `fmr` rises, `fnmr` falls. */
export interface DetCurve {
  readonly distance: number[];
  readonly fmr: number[];
  readonly fnmr: number[];
  /** The lowest false-match rate that the number of impostor pairs supports. */
  readonly supportedFmr: number;
}

const POINTS = 200;
/** Rates between these, in normal deviates, are 0.0000003 and 0.9999997. */
const DEVIATES = 5;

/**
 * The detection error tradeoff (Martin et al. 1997, The DET curve in assessment of detection task performance), at up to 400
 * thresholds that are spread evenly on its normal-deviate axes.
 */
export function detCurve(pairs: Pairs): DetCurve {
  const { genuine, impostor } = pairs;
  const at = (sorted: Float64Array, share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  const thresholds = new Set<number>();
  for (let i = 0; i < POINTS; i++) {
    const share = normalDistribution(DEVIATES * (2 * i / (POINTS - 1) - 1));
    thresholds.add(at(genuine, share)).add(at(impostor, share));
  }
  const distance = [...thresholds].filter(Number.isFinite).sort((a, b) => a - b);
  return {
    distance,
    fmr: distance.map((threshold) => falseMatchRate(pairs, threshold)),
    fnmr: distance.map((threshold) => falseNonMatchRate(pairs, threshold)),
    supportedFmr: lowestSupportedFmr(pairs),
  };
}

/** To about 1e-7 (Abramowitz and Stegun 1964, 26.2.17): enough to choose points by. */
function normalDistribution(deviate: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(deviate));
  const tail = Math.exp(-deviate * deviate / 2) / Math.sqrt(2 * Math.PI) *
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return deviate < 0 ? tail : 1 - tail;
}
