import type { StepRecord } from "./fit.ts";

/** How many steps in a row must look collapsed before anything is said. */
const PATIENCE = 20;
/** A mean pairwise distance below this share of the margin leaves nothing to tell identities apart by. */
const NEAR_ZERO = 0.1;
/** A loss this close to the margin, as a share of it, is what equal embeddings give. */
const NEAR_MARGIN = 0.05;

/**
 * Watches for what most often goes wrong with a triplet loss: all embeddings become one point, every distance 0, and the
 * loss stays at the margin, where its gradient is as good as zero.
 *
 * @returns a function that takes each step's record and returns, once, a sentence for the person when it happens
 */
export function watchCollapse(margin: number): (record: StepRecord) => string | undefined {
  let steps = 0;
  let told = false;
  return ({ step, loss, meanPairwiseDistance }) => {
    const collapsed = meanPairwiseDistance < NEAR_ZERO * margin && Math.abs(loss - margin) < NEAR_MARGIN * margin;
    steps = collapsed ? steps + 1 : 0;
    if (told || steps < PATIENCE) return undefined;
    told = true;
    return `The embedding has collapsed by step ${step}: the mean distance of two photos is ${
      meanPairwiseDistance.toFixed(4)
    } and the loss stays at the margin (${
      loss.toFixed(3)
    }). Lower learningRate (to a tenth), raise warmupSteps, or use more photos of each identity.`;
  };
}
