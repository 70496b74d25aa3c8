import type { Calibration, Evaluation, Threshold } from "../../shared/card.ts";
import { DataError } from "../../shared/errors.ts";
import { calibrate, thresholdsAt } from "./calibration.ts";
import { type ClusteringFigures, clusteringFigures } from "./clustering.ts";
import { type Identification, identificationAt } from "./identification.ts";
import { countLabels, type Labelled } from "./labelled.ts";
import type { Neighbours } from "./neighbours.ts";
import { type DistanceSummary, pairDistances, type Pairs, summarize } from "./pairs.ts";
import { galleryProbe, leaveOneOut, type Retrieval } from "./retrieval.ts";
import { auc, equalErrorRate } from "./verification.ts";

const RECALL_AT = [1, 5, 10];

/** What the card says about an embedding, and the distances behind it. */
export interface EvaluatedEmbeddings {
  readonly evaluation: Evaluation;
  readonly thresholds: Threshold[];
  readonly calibration: Calibration;
  /** Distances of pairs of one identity. */
  readonly genuine: DistanceSummary;
  /** Distances of pairs of two identities. */
  readonly impostor: DistanceSummary;
  /** Searches for each image among the others, by people enrolled and by others. */
  readonly identification: Identification;
  /** What each image finds among the others, in the order of the images. */
  readonly neighbours: readonly Neighbours[];
  readonly pairs: Pairs;
}

/** Settings of {@linkcode evaluateEmbeddings}. */
export interface EvaluateOptions {
  /** Of the bootstrap, the clusters and the samples; the same seed gives the same figures. */
  readonly seed: number;
  /** Identities of further images that gave no embedding: errors in all figures but NMI. */
  readonly missed?: ArrayLike<number>;
  /** False-match rates to find thresholds for, where the impostor pairs support them; default 1e-1, 1e-2, 1e-3. */
  readonly rates?: readonly number[];
}

/**
 * Judges an embedding on images of identities that it was not trained on: retrieval of each image among the others,
 * verification over the pairs, with thresholds and calibration, identification, and clustering. Time grows with the square of
 * the images; memory does too up to 4,000,000 pairs of a kind, beyond which a sample is judged ({@linkcode pairDistances}).
 *
 * @param embeddings L2-normalised rows, `[n, dim] float32`
 * @param labels identity of each row, `[n]`
 * @throws {DataError} if the images are too few to say anything, or the embedding is not finite or collapsed
 */
export function evaluateEmbeddings(
  embeddings: Float32Array,
  labels: ArrayLike<number>,
  { seed, missed = [], rates = [1e-1, 1e-2, 1e-3] }: EvaluateOptions,
): EvaluatedEmbeddings {
  const images = { embeddings, labels, missed };
  const identities = countLabels([...Array.from(labels), ...Array.from(missed)]).size;
  if (identities < 2) {
    throw new DataError(
      `The test set has ${
        identities === 1 ? "1 identity" : `${identities} identities`
      }; an evaluation needs at least 2.`,
    );
  }
  const { neighbours, ...retrieval } = leaveOneOut(images, RECALL_AT);
  const pairs = pairDistances(images, { seed });
  const thresholds = thresholdsAt(pairs, rates, { seed });
  const clustering = clusteringFigures(images, { seed });
  return {
    evaluation: {
      ...retrievalFigures(retrieval),
      rPrecision: retrieval.rPrecision,
      nmi: clustering.nmi,
      auc: auc(pairs),
      eer: equalErrorRate(pairs),
      tarAtFar: Object.fromEntries(thresholds.map(({ fmr, fnmr }) => [String(fmr), 1 - fnmr])),
      identities,
      images: labels.length + missed.length,
      protocol: protocolOf(retrieval.queries, pairs, clustering, seed),
    },
    thresholds,
    calibration: calibrate(pairs, thresholds),
    genuine: summarize(pairs.genuine),
    impostor: summarize(pairs.impostor),
    identification: identificationAt(neighbours, labels, undefined, missed.length),
    neighbours,
    pairs,
  };
}

/** How well probes are found in a separate gallery. */
export interface EvaluatedGallery {
  readonly recallAt1: number;
  readonly recallAt5: number;
  readonly recallAt10: number;
  readonly mapAtR: number;
  /** Identities in the gallery. */
  readonly identities: number;
  readonly galleryImages: number;
  readonly probes: number;
  readonly identification: Identification;
  /** What each probe finds in the gallery, in the order of the probes. */
  readonly neighbours: readonly Neighbours[];
}

/**
 * Judges an embedding by searching for probes in a separate gallery, such as photos in packshots. Probes whose identity is
 * not in the gallery count as searches by someone not enrolled, and not for recall.
 *
 * @throws {DataError} if no probe's identity is in the gallery, or the embedding is not finite
 */
export function evaluateInGallery(gallery: Labelled, probes: Labelled): EvaluatedGallery {
  const { neighbours, ...retrieval } = galleryProbe(gallery, probes, RECALL_AT);
  return {
    ...retrievalFigures(retrieval),
    identities: countLabels(gallery.labels).size,
    galleryImages: gallery.labels.length,
    probes: probes.labels.length + (probes.missed?.length ?? 0),
    identification: identificationAt(neighbours, gallery.labels, undefined, probes.missed?.length),
    neighbours,
  };
}

function retrievalFigures({ recallAt, mapAtR }: Omit<Retrieval, "neighbours">) {
  return { recallAt1: recallAt[1], recallAt5: recallAt[5], recallAt10: recallAt[10], mapAtR };
}

function protocolOf(queries: number, pairs: Pairs, clustering: ClusteringFigures, seed: number): string {
  const { genuine, impostor, genuineByIdentity, sampledFrom } = pairs;
  const sampled = sampledFrom
    ? `, a random sample of ${sampledFrom.genuine} and ${sampledFrom.impostor}, seed ${seed}`
    : "";
  return `leave-one-out retrieval of ${queries} images, ties against; verification of ` +
    `${genuine.length} genuine and ${impostor.length} impostor pairs${sampled}; rates of at least 30 false matches; ` +
    `95% intervals by bootstrap over ${genuineByIdentity.length} identities, seed ${seed}; ` +
    `NMI of ${clustering.images} images in ${clustering.clusters} k-means clusters, seed ${seed}`;
}
