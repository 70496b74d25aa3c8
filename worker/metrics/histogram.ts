/** Counts durations by how long they are, in the text format of Prometheus. */
export interface Histogram {
  /** @param labels as in `route="/match",status="200"`; their combinations must be few */
  observe(labels: string, seconds: number): void;
  /** @returns lines */
  lines(): string[];
}

/** Upper bounds in seconds, from a search in a small gallery to an image that waits in a full queue. */
const BOUNDS = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * @param name without `_seconds`
 * @param help what is measured
 */
export function createHistogram(name: string, help: string): Histogram {
  const all = new Map<string, { buckets: number[]; sum: number }>();
  return {
    observe(labels, seconds) {
      const series = all.get(labels) ?? { buckets: new Array(BOUNDS.length + 1).fill(0), sum: 0 };
      all.set(labels, series);
      const bucket = BOUNDS.findIndex((bound) => seconds <= bound);
      series.buckets.splice(bucket, 1, series.buckets.at(bucket)! + 1);
      series.sum += seconds;
    },
    lines: () => [
      `# HELP ${name}_seconds ${help}`,
      `# TYPE ${name}_seconds histogram`,
      ...[...all].flatMap(([labels, { buckets, sum }]) => {
        let count = 0;
        const counts = buckets.map((size) => count += size);
        return [
          ...[...BOUNDS, "+Inf"].map((bound, i) => `${name}_seconds_bucket{${labels},le="${bound}"} ${counts[i]}`),
          `${name}_seconds_sum{${labels}} ${sum}`,
          `${name}_seconds_count{${labels}} ${count}`,
        ];
      }),
    ],
  };
}
