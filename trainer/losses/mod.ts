export type { Loss, LossStatistics } from "./loss.ts";
export { DISTANCE_METRICS, type DistanceMetric, pairwiseDistance } from "./pairwise_distance.ts";
export { mineSemihard, type Mining } from "./semihard_mining.ts";
export { tripletSemihard, type TripletSemihardOptions } from "./triplet_semihard.ts";
