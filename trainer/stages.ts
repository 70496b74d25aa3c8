import type * as tf from "@tensorflow/tfjs";
import type { InputSpec } from "../shared/card.ts";
import type { Config } from "./config.ts";
import { cacheActivations, cachedBatches } from "./data/activations.ts";
import { type Batches, labelsOf } from "./data/batches.ts";
import type { Photo } from "./data/photos.ts";
import { defaultThreads, prefetchBatches } from "./data/prefetch.ts";
import type { Sampler } from "./data/sampler.ts";
import { fusedNetwork } from "./export/mod.ts";
import { lastFrozenLayer, type Outputs, splitNetwork, wholeNetwork } from "./models/split.ts";
import type { Reporter } from "./report/progress.ts";

/** A part of a run in which the same layers train. */
export interface Stage {
  /** Steps done before and after it. */
  start: number;
  end: number;
  /** The last layer that does not train. */
  frozen: string | undefined;
  /** Views of each photo whose activations are kept; 0 for none. */
  cachedViews: number;
}

/** What a stage trains, and on what. */
export interface OpenStage {
  batches: Batches;
  /** The frozen part where it runs at every step. */
  below: ((x: tf.Tensor) => tf.Tensor) | undefined;
  /** What trains, from a batch or from what `below` makes of it. */
  forward: (x: tf.Tensor) => Outputs;
  close(): void;
}

/** The stages of a run: the embedding's layer alone, if so configured, then all that is not frozen (Howard and Ruder 2018, section 3.3). */
export function stagesOf(model: tf.LayersModel, config: Config, totalSteps: number): Stage[] {
  const headSteps = Math.min(config.headSteps, totalSteps);
  const frozen = config.freeze === undefined ? undefined : lastFrozenLayer(model, config.freeze);
  return [
    {
      start: 0,
      end: headSteps,
      frozen: lastFrozenLayer(model, "backbone"),
      cachedViews: Math.max(1, config.cachedViews),
    },
    { start: headSteps, end: totalSteps, frozen, cachedViews: frozen === undefined ? 0 : config.cachedViews },
  ].filter(({ start, end }) => end > start);
}

/** Freezes what a stage does not train, and makes its batches. */
export async function openStage(
  stage: Stage,
  model: tf.LayersModel,
  photos: readonly Photo[],
  { config, input, sampler, reporter }: { config: Config; input: InputSpec; sampler: Sampler; reporter: Reporter },
): Promise<OpenStage> {
  const training = config.batchNorm === "batch";
  const views = (sampler: Sampler) =>
    prefetchBatches({ photos, input, sampler, augmentation: config, seed: config.seed, threads: defaultThreads() });
  if (stage.frozen === undefined) {
    const whole = wholeNetwork(model), batches = views(sampler);
    return { batches, below: undefined, forward: (x) => whole(x, training), close: batches.close };
  }
  const { below, above } = splitNetwork(model, stage.frozen);
  const frozen = await fusedNetwork(below);
  const run = (x: tf.Tensor) => frozen.predict(x) as tf.Tensor;
  const forward = (x: tf.Tensor) => above(x, training);
  if (stage.cachedViews === 0) {
    const batches = views(sampler);
    return { batches, below: run, forward, close: () => (batches.close(), frozen.dispose()) };
  }
  const bar = reporter.progress("Running the frozen layers", photos.length * stage.cachedViews);
  const activations = await cacheActivations({
    count: photos.length,
    views: stage.cachedViews,
    batchesOf: views,
    below: run,
    onProgress: (done) => bar.update(done),
  });
  bar.done();
  frozen.dispose();
  const batches = cachedBatches(activations, sampler, labelsOf(photos), config.seed);
  return { batches, below: undefined, forward, close: batches.close };
}
