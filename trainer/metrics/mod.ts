export { type EvaluatedEmbeddings, evaluateEmbeddings, type EvaluateOptions } from "./evaluate.ts";
export type { Labelled } from "./labelled.ts";
export { type DistanceSummary, pairDistances, type Pairs, summarize } from "./pairs.ts";
export { galleryProbe, leaveOneOut, type Retrieval } from "./retrieval.ts";
export { auc, distanceAtFmr, equalErrorRate, falseMatchRate, falseNonMatchRate } from "./verification.ts";
export { calibrate, lowestSupportedFmr, thresholdsAt } from "./calibration.ts";
export { type BootstrapOptions, bootstrapRatio } from "./bootstrap.ts";
