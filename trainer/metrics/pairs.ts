import { dimensionsOf, type Labelled, rowDistance } from "./labelled.ts";
import { quantile } from "./sorted.ts";

/** Euclidean distances of all pairs of images, ascending. */
export interface Pairs {
  /** Pairs of one identity. */
  readonly genuine: Float64Array;
  /** Pairs of two identities. */
  readonly impostor: Float64Array;
  /** The genuine distances again, ascending, one array for each identity that has a pair. */
  readonly genuineByIdentity: readonly Float64Array[];
}

/**
 * Distances of all `n (n - 1) / 2` pairs; 8 bytes a pair.
 *
 * The identities come in an order that depends on their distances alone, so that a seeded resampling of them does not
 * depend on the order of the images.
 */
export function pairDistances(images: Labelled): Pairs {
  const { embeddings, labels } = images;
  const dimensions = dimensionsOf(images), n = labels.length;
  const byIdentity = new Map<number, number[]>();
  const impostor = new Float64Array(n * (n - 1) / 2);
  let impostors = 0;
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      const distance = rowDistance(embeddings, i, embeddings, j, dimensions);
      if (labels[i] !== labels[j]) impostor[impostors++] = distance;
      else {
        const genuine = byIdentity.get(labels[i]);
        if (genuine) genuine.push(distance);
        else byIdentity.set(labels[i], [distance]);
      }
    }
  }
  const genuineByIdentity = [...byIdentity.values()].map((distances) => Float64Array.from(distances).sort());
  genuineByIdentity.sort((a, b) => a.length - b.length || mean(a) - mean(b));
  return {
    genuine: concatenate(genuineByIdentity).sort(),
    impostor: impostor.slice(0, impostors).sort(),
    genuineByIdentity,
  };
}

/** A distribution of distances in seven numbers. */
export interface DistanceSummary {
  readonly pairs: number;
  readonly mean: number;
  readonly min: number;
  readonly p05: number;
  readonly median: number;
  readonly p95: number;
  readonly max: number;
}

/** @param sorted ascending, at least one */
export function summarize(sorted: Float64Array): DistanceSummary {
  return {
    pairs: sorted.length,
    mean: mean(sorted),
    min: sorted[0],
    p05: quantile(sorted, 0.05),
    median: quantile(sorted, 0.5),
    p95: quantile(sorted, 0.95),
    max: sorted[sorted.length - 1],
  };
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function concatenate(parts: readonly Float64Array[]): Float64Array {
  const whole = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
