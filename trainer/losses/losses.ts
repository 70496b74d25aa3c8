import { arcface } from "./arcface.ts";
import type { ClassOptions } from "./class_centres.ts";
import { contrastive } from "./contrastive.ts";
import type { Loss, TrainableLoss } from "./loss.ts";
import { multiSimilarity } from "./multi_similarity.ts";
import type { DistanceMetric } from "./pairwise_distance.ts";
import { proxyAnchor } from "./proxy_anchor.ts";
import { siameseBce } from "./siamese_bce.ts";
import { supcon } from "./supcon.ts";
import { tripletAll } from "./triplet_all.ts";
import { tripletExplicit } from "./triplet_explicit.ts";
import { tripletHard } from "./triplet_hard.ts";
import { tripletSemihard } from "./triplet_semihard.ts";

/** The settings of all losses together; each takes what it knows, and its own default where one is left out. */
export interface LossSettings extends ClassOptions {
  /** `triplet-*`, `contrastive`: in units of the distance; `proxy-anchor`: a cosine; `arcface`: radians. */
  readonly margin?: number;
  /** `triplet-*`, `contrastive`. */
  readonly distance?: DistanceMetric;
  /** `triplet-hard`: a soft margin instead of `margin`. */
  readonly soft?: boolean;
  /** `contrastive`: the margin of pairs of one identity. */
  readonly positiveMargin?: number;
  /** `supcon`. */
  readonly temperature?: number;
  /** `multi-similarity`, `proxy-anchor`. */
  readonly alpha?: number;
  /** `multi-similarity`. */
  readonly beta?: number;
  /** `multi-similarity`: a cosine. */
  readonly base?: number;
  /** `arcface`. */
  readonly scale?: number;
}

/** The losses on labelled batches, by the names that a configuration knows them by. */
export const LOSSES = {
  "triplet-semihard": fixed(tripletSemihard),
  "triplet-hard": fixed(tripletHard),
  "triplet-all": fixed(tripletAll),
  "triplet-explicit": fixed(tripletExplicit),
  "contrastive": fixed(contrastive),
  "siamese-bce": siameseBce,
  "multi-similarity": fixed(multiSimilarity),
  "supcon": fixed(supcon),
  "proxy-anchor": proxyAnchor,
  "arcface": arcface,
} satisfies Record<string, (settings: LossSettings) => TrainableLoss>;

/** A name in {@linkcode LOSSES}. */
export type LossName = keyof typeof LOSSES;

/** What the rows of a batch are: anchors, positives and negatives of triplets, or first and second images of pairs. */
export type BatchLayout = "triplets" | "pairs";

/** The losses that need rows in a certain order, which a sampler has to give; all others take any labelled batch. */
export const BATCH_LAYOUTS: Partial<Record<LossName, BatchLayout>> = {
  "triplet-explicit": "triplets",
  "siamese-bce": "pairs",
};

/** A loss without variables of its own. */
function fixed(create: (settings: LossSettings) => Loss): (settings: LossSettings) => TrainableLoss {
  return (settings) => ({ loss: create(settings), variables: [] });
}
