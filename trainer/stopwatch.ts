/** Measures a run. */
export interface Stopwatch {
  /** Seconds since it was started. */
  seconds(): number;
  /** Images per second since the call before, smoothed. */
  rate(images: number): number;
  /** The share of the time since the call before that was spent waiting, smoothed. */
  waitingShare(waitedMs: number): number;
}

/** How much of a measured rate is replaced by the newest. */
const SMOOTHING = 0.1;

/** Starts to measure. */
export function stopwatch(): Stopwatch {
  const start = performance.now();
  const elapsed = [lap(), lap()];
  const perSecond = smoothed(), share = smoothed();
  let waited = 0;
  return {
    seconds: () => (performance.now() - start) / 1000,
    rate: (images) => perSecond(1000 * images / elapsed[0]()),
    waitingShare(waitedMs) {
      const since = waitedMs - waited;
      waited = waitedMs;
      return share(Math.min(1, since / elapsed[1]()));
    },
  };
}

/** Milliseconds since the call before. */
function lap(): () => number {
  let last = performance.now();
  return () => {
    const before = last;
    last = performance.now();
    return Math.max(1e-3, last - before);
  };
}

function smoothed(): (value: number) => number {
  let mean: number | undefined;
  return (value) => mean = mean === undefined ? value : mean + SMOOTHING * (value - mean);
}
