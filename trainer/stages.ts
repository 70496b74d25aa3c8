import type * as tf from "@tensorflow/tfjs";
import type { Activations, InputSpec } from "../shared/card.ts";
import type { Config } from "./config.ts";
import { cacheActivations, cachedBatches } from "./data/activations.ts";
import { type Batches, labelsOf } from "./data/batches.ts";
import type { Photo } from "./data/photos.ts";
import { defaultThreads, prefetchBatches } from "./data/prefetch.ts";
import type { Sampler } from "./data/sampler.ts";
import { fusedNetwork, graphOf, measuredGrids, onWasm } from "./export/mod.ts";
import { freezeUpTo, lastFrozenLayer, type Outputs, splitNetwork, wholeNetwork } from "./models/split.ts";
import { calibrationViews } from "./photo_sets.ts";
import { int8Network } from "./qat/int8_network.ts";
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
  /** The factor of the learning rate. */
  rate: number;
  /** Whether the network trains as int8 computes it. */
  int8: boolean;
}

/** What a stage is opened with. */
export interface StageSettings {
  config: Config;
  input: InputSpec;
  sampler: Sampler;
  reporter: Reporter;
  activations: Activations | undefined;
}

/** What a stage trains, and on what. */
export interface OpenStage {
  batches: Batches;
  /** The frozen part where it runs at every step. */
  below: ((x: tf.Tensor) => tf.Tensor) | undefined;
  /** What trains, from a batch or from what `below` makes of it. */
  forward: (x: tf.Tensor) => Outputs;
  /** The grids of a stage in int8. */
  activations?: Activations;
  close(): void;
}

/** Steps in int8 for each step before them, and what of the learning rate they have. */
const INT8_SHARE = 0.25, INT8_RATE = 0.1;

/**
 * The stages of a run: the embedding's layer alone, if so configured, then all that is not frozen (Howard and Ruder 2018, section 3.3),
 * then, if so configured, the same as int8 computes it.
 *
 * @param steps of all stages but that in int8
 */
export function stagesOf(model: tf.LayersModel, config: Config, steps: number): Stage[] {
  const headSteps = Math.min(config.headSteps, steps);
  const frozen = config.freeze === undefined ? undefined : lastFrozenLayer(model, config.freeze);
  const float32 = { rate: 1, int8: false };
  return [
    {
      start: 0,
      end: headSteps,
      frozen: lastFrozenLayer(model, "backbone"),
      cachedViews: Math.max(1, config.cachedViews),
      ...float32,
    },
    { start: headSteps, end: steps, frozen, cachedViews: frozen === undefined ? 0 : config.cachedViews, ...float32 },
    {
      start: steps,
      end: steps + (config.qat ? Math.ceil(INT8_SHARE * steps) : 0),
      frozen,
      cachedViews: 0,
      rate: INT8_RATE,
      int8: true,
    },
  ].filter(({ start, end }) => end > start);
}

/**
 * Freezes what a stage does not train, and makes its batches.
 *
 * @param settings.activations the grids of a stage in int8 that goes on; they are measured unless given
 */
export async function openStage(
  stage: Stage,
  model: tf.LayersModel,
  photos: readonly Photo[],
  settings: StageSettings,
): Promise<OpenStage> {
  const { config, input, sampler, reporter } = settings;
  const training = config.batchNorm === "batch";
  const views = (sampler: Sampler) =>
    prefetchBatches({ photos, input, sampler, augmentation: config, seed: config.seed, threads: defaultThreads() });
  if (stage.int8) {
    freezeUpTo(model, stage.frozen);
    const activations = settings.activations ?? await trainingGrids(model, photos, settings);
    const forward = await int8Network(model, activations), batches = views(sampler);
    return { batches, below: undefined, forward, activations, close: batches.close };
  }
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

/** The grids of the network as it is now, by the photos on which an export would measure them. */
async function trainingGrids(
  model: tf.LayersModel,
  photos: readonly Photo[],
  { input, reporter }: StageSettings,
): Promise<Activations> {
  reporter.info("Measuring ranges for int8, in which the network trains from here on.");
  const graph = await graphOf(model), images = await calibrationViews(photos, input);
  return await onWasm(() => measuredGrids(graph, images.map(({ pixels }) => pixels), input));
}
