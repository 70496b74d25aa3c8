/** A stream of numbers in `[0, 1)`. */
export type Random = () => number;

/**
 * The stream of random numbers for one purpose. Every decision of a run draws from a stream named by the seed and by what
 * it is for, such as `("augment", step, row)`: no state has to be saved, and a run that was stopped goes on as if it had not been.
 *
 * The generator is SplitMix32 (Steele et al. 2014, "Fast splittable pseudorandom number generators").
 */
export function randomStream(seed: number, ...purpose: (string | number)[]): Random {
  let state = mix(seed >>> 0);
  for (const part of purpose) {
    for (const word of typeof part === "number" ? [part >>> 0] : new TextEncoder().encode(part)) {
      state = mix((state ^ word) + GOLDEN_GAMMA);
    }
  }
  return () => {
    state = (state + GOLDEN_GAMMA) >>> 0;
    return mix(state) / 4294967296;
  };
}

/** The numbers 0 to `count - 1` in random order (Fisher and Yates). */
export function permutation(count: number, random: Random): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

const GOLDEN_GAMMA = 0x9e3779b9;

function mix(value: number): number {
  let z = value >>> 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return (z ^ (z >>> 15)) >>> 0;
}
