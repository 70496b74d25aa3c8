/** How many of the ascending values are below `value`. */
export function countBelow(sorted: ArrayLike<number>, value: number): number {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * {@linkcode countBelow} for many values at or below the last: begins where the value would be if the ascending ones were
 * spread evenly, which they nearly are where it matters, and so takes about the same time for any number of them.
 *
 * @param sorted ascending, at least one
 */
export function belowCounter(sorted: Float64Array): (value: number) => number {
  const first = sorted[0], width = sorted[sorted.length - 1] - first;
  const scale = width > 0 ? sorted.length / width : 0;
  const startOf = new Uint32Array(sorted.length + 2);
  for (const value of sorted) startOf[Math.floor((value - first) * scale) + 1]++;
  for (let bin = 1; bin < startOf.length; bin++) startOf[bin] += startOf[bin - 1];
  return (value) => {
    if (value <= first) return 0;
    let below = startOf[Math.floor((value - first) * scale)];
    while (sorted[below] < value) below++;
    return below;
  };
}

/** How many of the ascending values are at or below `value`. */
export function countAtOrBelow(sorted: ArrayLike<number>, value: number): number {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The quantile of ascending values, linear between order statistics (Hyndman and Fan 1996, type 7). */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const at = share * (sorted.length - 1), below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}
