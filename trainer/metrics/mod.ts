export {
  type EvaluatedEmbeddings,
  type EvaluatedGallery,
  evaluateEmbeddings,
  evaluateInGallery,
  type EvaluateOptions,
} from "./evaluate.ts";
export type { Labelled } from "./labelled.ts";
export { type DistanceSummary, pairDistances, type PairOptions, type Pairs, summarize } from "./pairs.ts";
export { rankOneOfSingleEnrolment } from "./single_enrolment.ts";
export { galleryProbe, leaveOneOut, type Retrieval } from "./retrieval.ts";
export {
  type Confusion,
  failuresOf,
  hardestConfusions,
  type IdentityFailures,
  type IdentityFigures,
  identityFigures,
  type Neighbour,
  type Neighbours,
} from "./neighbours.ts";
export { type Identification, identificationAt, type IdentificationRates } from "./identification.ts";
export { type ClusteringFigures, clusteringFigures, type Clusters, kMeans, type KMeansOptions } from "./clustering.ts";
export { normalizedMutualInformation } from "./mutual_information.ts";
export { auc, distanceAtFmr, equalErrorRate, falseMatchRate, falseNonMatchRate } from "./verification.ts";
export { calibrate, lowestSupportedFmr, thresholdsAt } from "./calibration.ts";
export { type DetCurve, detCurve, distanceHistogram, type Histogram } from "./distributions.ts";
export { type BootstrapOptions, bootstrapRatio } from "./bootstrap.ts";
