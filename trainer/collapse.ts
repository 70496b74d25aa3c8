import type { StepRecord } from "./fit.ts";

/** How many steps in a row must look collapsed before anything is said. */
const PATIENCE = 20;
/** A mean pairwise distance below this share of the margin leaves nothing to tell identities apart by. */
const NEAR_ZERO = 0.1;
/** A loss this close to the margin, as a share of it, is what equal embeddings give. */
const NEAR_MARGIN = 0.05;
/** Embeddings shorter than this before they are scaled to unit length have a direction by rounding errors alone. */
const VANISHED = 1e-4;

/** Watches a run for what goes wrong most often with a triplet loss. */
export interface CollapseWatch {
  /** Takes a step's record; returns, once, a sentence for the person when the embedding has collapsed. */
  see(record: StepRecord): string | undefined;
  /** Whether the last steps look well. */
  healthy(): boolean;
}

/**
 * Watches for a collapse: all embeddings become one point, every distance 0, and the loss stays at the margin, where its
 * gradient is as good as zero; or the embeddings vanish before they are scaled to unit length.
 *
 * @param margin of the loss, if it has one that equal embeddings would give
 */
export function watchCollapse(margin: number | undefined): CollapseWatch {
  let steps = 0, told = false;
  return {
    see(record) {
      const reason = reasonOf(record, margin);
      steps = reason ? steps + 1 : 0;
      if (told || steps < PATIENCE) return undefined;
      told = true;
      return `The embedding has collapsed by step ${record.step}: ${reason}. Lower learningRate (to a tenth), raise ` +
        "warmupSteps, or use more photos of each identity; rescue=true does the first by itself.";
    },
    healthy: () => steps === 0,
  };
}

function reasonOf({ loss, meanPairwiseDistance, embeddingNorm }: StepRecord, margin: number | undefined) {
  if (embeddingNorm < VANISHED) return `the embeddings' mean length is ${embeddingNorm.toExponential(1)}`;
  if (margin === undefined || meanPairwiseDistance >= NEAR_ZERO * margin) return undefined;
  if (Math.abs(loss - margin) >= NEAR_MARGIN * margin) return undefined;
  return `the mean distance of two photos is ${meanPairwiseDistance.toFixed(4)} and the loss stays at the margin (${
    loss.toFixed(3)
  })`;
}
