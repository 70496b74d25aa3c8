import type { Pairs } from "./pairs.ts";
import { countAtOrBelow, countBelow } from "./sorted.ts";

/** Area under the ROC curve: how often a genuine pair is nearer than an impostor pair, a tie counting half. */
export function auc({ genuine, impostor }: Pairs): number {
  let nearer = 0, below = 0, atOrBelow = 0;
  for (const distance of genuine) {
    while (impostor[below] < distance) below++;
    atOrBelow = Math.max(atOrBelow, below);
    while (impostor[atOrBelow] === distance) atOrBelow++;
    nearer += impostor.length - (below + atOrBelow) / 2;
  }
  return nearer / (genuine.length * impostor.length);
}

/**
 * Equal error rate: where the false-match rate equals the false-non-match rate on the ROC curve, linear between the
 * distances that occur.
 */
export function equalErrorRate({ genuine, impostor }: Pairs): number {
  let accepted = 0, falselyAccepted = 0;
  let before = { fmr: 0, fnmr: 1 };
  while (accepted < genuine.length || falselyAccepted < impostor.length) {
    const distance = Math.min(genuine[accepted] ?? Infinity, impostor[falselyAccepted] ?? Infinity);
    while (genuine[accepted] === distance) accepted++;
    while (impostor[falselyAccepted] === distance) falselyAccepted++;
    const here = { fmr: falselyAccepted / impostor.length, fnmr: 1 - accepted / genuine.length };
    if (here.fnmr <= here.fmr) {
      const gapBefore = before.fnmr - before.fmr, gapHere = here.fmr - here.fnmr;
      return before.fmr + (here.fmr - before.fmr) * gapBefore / (gapBefore + gapHere);
    }
    before = here;
  }
  return before.fmr;
}

/** Share of the impostor pairs that a distance accepts. */
export function falseMatchRate({ impostor }: Pairs, distance: number): number {
  return countAtOrBelow(impostor, distance) / impostor.length;
}

/** Share of the genuine pairs that a distance rejects. */
export function falseNonMatchRate({ genuine }: Pairs, distance: number): number {
  return (genuine.length - countAtOrBelow(genuine, distance)) / genuine.length;
}

/**
 * The largest distance of any pair that accepts at most this share of the impostor pairs.
 *
 * @param fmr in 0..1
 * @returns undefined if every distance of an impostor pair accepts more
 */
export function distanceAtFmr(
  { genuine, impostor }: Pick<Pairs, "genuine" | "impostor">,
  fmr: number,
): number | undefined {
  // Without the slack 0.29 * 100 would allow 28, because it is 28.999999999999996.
  const allowed = Math.floor(fmr * impostor.length + 1e-9);
  const tooFar = impostor[allowed] ?? Infinity;
  const accepted = countBelow(impostor, tooFar);
  if (accepted === 0) return undefined;
  return Math.max(impostor[accepted - 1], genuine[countBelow(genuine, tooFar) - 1] ?? 0);
}
