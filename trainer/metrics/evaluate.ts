import type { Calibration, Evaluation, Threshold } from "../../shared/card.ts";
import { DataError } from "../../shared/errors.ts";
import { calibrate, thresholdsAt } from "./calibration.ts";
import { type DistanceSummary, pairDistances, summarize } from "./pairs.ts";
import { leaveOneOut } from "./retrieval.ts";
import { auc, equalErrorRate } from "./verification.ts";

/** What the card says about an embedding, and the distances behind it. */
export interface EvaluatedEmbeddings {
  readonly evaluation: Evaluation;
  readonly thresholds: Threshold[];
  readonly calibration: Calibration;
  /** Distances of pairs of one identity. */
  readonly genuine: DistanceSummary;
  /** Distances of pairs of two identities. */
  readonly impostor: DistanceSummary;
}

/** Settings of {@linkcode evaluateEmbeddings}. */
export interface EvaluateOptions {
  /** Of the bootstrap; the same seed gives the same intervals. */
  readonly seed: number;
  /** False-match rates to find thresholds for, where the impostor pairs support them; default 1e-1, 1e-2, 1e-3. */
  readonly rates?: readonly number[];
}

/**
 * Judges an embedding on images of identities that it was not trained on: retrieval of each image among the others, and
 * verification over all pairs, with thresholds and calibration. Time and memory grow with the square of the images.
 *
 * @param embeddings L2-normalised rows, `[n, dim] float32`
 * @param labels identity of each row, `[n]`
 * @throws {DataError} if the images are too few to say anything, or the embedding is not finite or collapsed
 */
export function evaluateEmbeddings(
  embeddings: Float32Array,
  labels: ArrayLike<number>,
  { seed, rates = [1e-1, 1e-2, 1e-3] }: EvaluateOptions,
): EvaluatedEmbeddings {
  const identities = new Set(Array.from(labels)).size;
  if (identities < 2) {
    throw new DataError(
      `The test set has ${
        identities === 1 ? "1 identity" : `${identities} identities`
      }; an evaluation needs at least 2.`,
    );
  }
  const retrieval = leaveOneOut({ embeddings, labels }, [1, 5]);
  const pairs = pairDistances({ embeddings, labels });
  const thresholds = thresholdsAt(pairs, rates, { seed });
  return {
    evaluation: {
      recallAt1: retrieval.recallAt[1],
      recallAt5: retrieval.recallAt[5],
      mapAtR: retrieval.mapAtR,
      rPrecision: retrieval.rPrecision,
      auc: auc(pairs),
      eer: equalErrorRate(pairs),
      tarAtFar: Object.fromEntries(thresholds.map(({ fmr, fnmr }) => [String(fmr), 1 - fnmr])),
      identities,
      images: labels.length,
      protocol: `leave-one-out retrieval of ${retrieval.queries} images, ties against; verification of ` +
        `${pairs.genuine.length} genuine and ${pairs.impostor.length} impostor pairs; rates of at least 30 false matches; ` +
        `95% intervals by bootstrap over ${pairs.genuineByIdentity.length} identities, seed ${seed}`,
    },
    thresholds,
    calibration: calibrate(pairs, thresholds),
    genuine: summarize(pairs.genuine),
    impostor: summarize(pairs.impostor),
  };
}
