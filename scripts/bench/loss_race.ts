import { type Config, resolveConfig } from "../../trainer/config.ts";
import type { StepRecord } from "../../trainer/fit.ts";
import type { LossName } from "../../trainer/losses/mod.ts";
import type { Reporter } from "../../trainer/report/progress.ts";
import type { Digits, DigitSplit } from "./digits.ts";
import { type LayerGradients, type LossRun, type Recall, startLossRun } from "./loss_run.ts";
import { median } from "./median.ts";

/** One way to train the embedding. */
export interface Variant {
  loss: LossName;
  unitLength: boolean;
  /** See {@linkcode startLossRun}. */
  negativeHead?: boolean;
}

/** The one that the speed of the others is measured against. */
export const BASELINE = "siamese-bce";

/** From the question (first) to the answer (last). */
export const VARIANTS: Record<string, Variant> = {
  [BASELINE]: { loss: "siamese-bce", unitLength: false },
  "siamese-bce, L2": { loss: "siamese-bce", unitLength: true },
  "siamese-bce, negative": { loss: "siamese-bce", unitLength: false, negativeHead: true },
  "contrastive, L2": { loss: "contrastive", unitLength: true },
  "triplet-explicit, L2": { loss: "triplet-explicit", unitLength: true },
  "triplet-semihard": { loss: "triplet-semihard", unitLength: false },
  "triplet-semihard, L2": { loss: "triplet-semihard", unitLength: true },
};

/** What all variants have in common. */
export interface RaceSettings {
  backbone: string;
  /** Steps of each run; a multiple of `points`. */
  steps: number;
  /** Images in a batch, whether alone, in pairs or in triplets: a multiple of 6. */
  imagesPerStep: number;
  seeds: number[];
  /** How often a run is judged after its start. */
  points: number;
  /** Images to judge by on the way. */
  probesOnTheWay: number;
}

/** How a run was after some steps: medians over the seeds. */
export interface RacePoint {
  /** Images seen. */
  images: number;
  recallAt1: number;
  layerGradients: LayerGradients;
}

/** What the steps between two points were like: medians over these steps, then over the seeds. */
export interface RacePart {
  /** Images seen at its end. */
  images: number;
  loss: number;
  gradientNorm: number;
  embeddingNorm: number;
  activeShare: number;
}

/** The figures of a variant on a split. */
export interface SplitFigures {
  /** Of the untrained network. */
  before: Recall;
  /** Median over the seeds, on all images to judge by. */
  after: Recall;
  /** Of each seed. */
  recallAt1BySeed: number[];
  /** Of siamese-bce, by its own dense unit instead of by distance: the median over the seeds. */
  recallAt1ByHead?: number;
  /** Of the first step. */
  firstGradientNorm: number;
  points: RacePoint[];
  parts: RacePart[];
}

/** The figures of a variant. */
export interface VariantFigures extends Variant {
  splits: Record<DigitSplit, SplitFigures>;
  /** Of a run: the median. */
  seconds: number;
  imagesPerSecond: number;
  /** Speed by that of the baseline in the same part of the run: the median over all parts. */
  speedup: number;
}

/** One run of one variant, from start to end. */
interface Track {
  before: Recall;
  after: Recall;
  byHead: number | undefined;
  points: RacePoint[];
  parts: { records: StepRecord[]; seconds: number }[];
}

/**
 * Trains every variant on both splits with every seed. The variants of a split and seed take turns, a part of the run each,
 * so that whatever else the machine does slows all of them.
 *
 * @returns figures by the name of the variant
 */
export async function raceLosses(
  splits: Record<DigitSplit, Digits>,
  settings: RaceSettings,
  reporter: Reporter,
): Promise<Record<string, VariantFigures>> {
  const names = Object.keys(VARIANTS);
  const tracks: Record<DigitSplit, Map<string, Track>[]> = { seen: [], unseen: [] };
  const bar = reporter.progress("Racing the losses", 2 * settings.seeds.length * settings.points);
  let done = 0;
  for (const seed of settings.seeds) {
    for (const split of ["seen", "unseen"] as const) {
      tracks[split].push(await raceOnce(splits[split], seed, settings, () => bar.update(++done)));
    }
  }
  bar.done();
  return Object.fromEntries(names.map((name) => [name, figuresOf(name, tracks, settings)]));
}

/** The gradients of every variant's first batch, at the weights that a network starts with. */
export async function firstGradients(digits: Digits, settings: RaceSettings): Promise<Record<string, LayerGradients>> {
  const gradients: Record<string, LayerGradients> = {};
  for (const [name, variant] of Object.entries(VARIANTS)) {
    const run = await startLossRun(configOf(variant, settings.seeds[0], settings), digits, variant);
    gradients[name] = await run.layerGradients(0);
    run.dispose();
  }
  return gradients;
}

/** The configuration of a variant: that of the answer but for what the variant and the race say. */
export function configOf({ loss, unitLength }: Variant, seed: number, settings: RaceSettings): Config {
  const rowsPerEntry: Partial<Record<LossName, number>> = { "siamese-bce": 2, "triplet-explicit": 3 };
  const batchSize = settings.imagesPerStep / (rowsPerEntry[loss] ?? 1);
  return resolveConfig({
    preset: loss === "siamese-bce" ? "siamese-seed" : "mnist-seed",
    file: { backbone: settings.backbone, loss, unitLength, batchSize, seed, sampler: "shuffled" },
  });
}

async function raceOnce(
  digits: Digits,
  seed: number,
  settings: RaceSettings,
  onPoint: () => void,
): Promise<Map<string, Track>> {
  const { steps, points } = settings;
  const runs = new Map<string, LossRun>(), tracks = new Map<string, Track>();
  try {
    let before: Recall | undefined;
    for (const [name, variant] of Object.entries(VARIANTS)) {
      const run = await startLossRun(configOf(variant, seed, settings), digits, variant);
      runs.set(name, run);
      // The networks of all variants start with the same weights.
      before ??= await run.judge(digits.probes);
      const points = [await pointOf(run, 0, digits, settings)];
      tracks.set(name, { before, after: before, byHead: undefined, points, parts: [] });
    }
    for (let point = 1; point <= points; point++) {
      const step = steps * point / points;
      for (const [name, run] of runs) {
        const track = tracks.get(name)!;
        track.parts.push(await run.advance(step));
        track.points.push(await pointOf(run, step, digits, settings));
      }
      onPoint();
    }
    for (const [name, run] of runs) {
      const after = await run.judge(digits.probes);
      tracks.set(name, { ...tracks.get(name)!, after, byHead: await run.recallByHead(digits.probes) });
    }
  } finally {
    runs.forEach((run) => run.dispose());
  }
  return tracks;
}

async function pointOf(run: LossRun, step: number, { probes }: Digits, settings: RaceSettings): Promise<RacePoint> {
  const { recallAt1 } = await run.judge(probes.slice(0, settings.probesOnTheWay));
  return { images: step * settings.imagesPerStep, recallAt1, layerGradients: await run.layerGradients(step) };
}

function figuresOf(
  name: string,
  tracks: Record<DigitSplit, Map<string, Track>[]>,
  settings: RaceSettings,
): VariantFigures {
  const all = [...tracks.seen, ...tracks.unseen];
  const own = all.map((track) => track.get(name)!), baseline = all.map((track) => track.get(BASELINE)!);
  const seconds = own.map(({ parts }) => parts.reduce((sum, part) => sum + part.seconds, 0));
  const images = settings.steps * settings.imagesPerStep;
  return {
    ...VARIANTS[name],
    splits: {
      seen: summarize(tracks.seen.map((track) => track.get(name)!), settings),
      unseen: summarize(tracks.unseen.map((track) => track.get(name)!), settings),
    },
    seconds: median(seconds),
    imagesPerSecond: images / median(seconds),
    speedup: median(own.flatMap(({ parts }, i) => parts.map((part, k) => baseline[i].parts[k].seconds / part.seconds))),
  };
}

function summarize(tracks: Track[], { imagesPerStep }: RaceSettings): SplitFigures {
  const over = (of: (track: Track) => number) => median(tracks.map(of));
  const overSteps = (part: number, of: (record: StepRecord) => number) =>
    over(({ parts }) => median(parts[part].records.map(of)));
  const recall = (when: "before" | "after") => ({
    recallAt1: over((track) => track[when].recallAt1),
    mapAtR: over((track) => track[when].mapAtR),
  });
  return {
    before: recall("before"),
    after: recall("after"),
    recallAt1BySeed: tracks.map(({ after }) => after.recallAt1),
    ...(tracks[0].byHead !== undefined && { recallAt1ByHead: over(({ byHead }) => byHead!) }),
    firstGradientNorm: over(({ parts }) => parts[0].records[0].gradientNorm),
    points: tracks[0].points.map(({ images }, i) => ({
      images,
      recallAt1: over(({ points }) => points[i].recallAt1),
      layerGradients: {
        first: over(({ points }) => points[i].layerGradients.first),
        last: over(({ points }) => points[i].layerGradients.last),
      },
    })),
    parts: tracks[0].parts.map(({ records }, part) => ({
      images: records.at(-1)!.step * imagesPerStep,
      loss: overSteps(part, (record) => record.loss),
      gradientNorm: overSteps(part, (record) => record.gradientNorm),
      embeddingNorm: overSteps(part, (record) => record.embeddingNorm),
      activeShare: overSteps(part, (record) => record.activeTripletShare),
    })),
  };
}
