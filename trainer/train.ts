import type * as tf from "@tensorflow/tfjs";
import type { Evaluation } from "../shared/card.ts";
import { DataError, messageOf, UsageError } from "../shared/errors.ts";
import { readModelFiles } from "../shared/model_files.ts";
import { type Checkpoint, hasCheckpoint, readCheckpoint } from "./checkpoint.ts";
import { type Config, resolveConfig } from "./config.ts";
import {
  countByIdentity,
  ENOUGH_PAIRS,
  hashOf,
  impostorPairs,
  isSeen,
  readDataset,
  readGallery,
} from "./data/dataset.ts";
import type { Probe } from "./data/photos.ts";
import type { Dataset } from "./data/sample.ts";
import { chooseEngine, type ChosenEngine, EngineMissing } from "./engines/mod.ts";
import { bundledFaceFinder } from "./faces.ts";
import { type Exam, type InGallery, judgeInGallery, judgeNetwork } from "./judge.ts";
import { assertFits } from "./memory.ts";
import { inputOf } from "./models/pixel_scales.ts";
import { publish, type Published } from "./publish.ts";
import { createNetwork, loadWeights } from "./network.ts";
import { calibrationViews, readPhotoSets } from "./photo_sets.ts";
import type { Reporter } from "./report/progress.ts";
import { writeReport } from "./report/report.ts";
import { readRunLog } from "./report/run_log.ts";
import { trainNetwork } from "./train_network.ts";

/** A training run as a person asks for it. */
export interface TrainJob {
  /** The folder of photos. */
  data: string;
  /** The photos that those kept to judge by are looked up in; `packshots/` of the data, unless given. */
  gallery: string | undefined;
  /** Where model, checkpoint and metrics go. */
  out: string;
  /** Of a run that goes on, the same as at its start or nothing. */
  config: Config | undefined;
  /** `auto` or the name of an engine. */
  engine: string;
  resume: boolean;
  /** The share of files that may be unreadable. */
  maxUnreadable: number;
  reporter: Reporter;
  /** Ends the run after the step under way, with a checkpoint written. */
  signal: AbortSignal;
}

/** The figures of a run, all on the same photos, which it was not trained on. */
export interface TrainResult extends Published {
  untrained: Evaluation;
  /** With the weights that training started from, if it started from some. */
  pretrained: Evaluation | undefined;
  /** Of the exported model, in a gallery, if there is one. */
  inGallery: InGallery | undefined;
  /** Whether the figures are of identities that were trained on after all. */
  seen: boolean;
}

/**
 * The way from photos to a model directory: read, train, judge, export, verify.
 *
 * @throws {DataError} if the photos cannot be used
 * @throws {UsageError} if `out` holds another run
 * @throws {ModelError} if the exported model is not the one that was trained
 */
export async function train(job: TrainJob): Promise<TrainResult> {
  const { reporter, signal } = job;
  await makeDirectory(job.out);
  const before = await earlierCheckpoint(job);
  const config = before?.config ?? job.config ?? resolveConfig({});
  const engine = await engineFor(job, before);
  reporter.info(`Engine: ${engine.name}, ${engine.device}.\n${engine.reason}`);
  const input = inputOf(config);
  const dataset = await readDataset(job.data, config.seed);
  const listed = await readGallery(job.data, job.gallery);
  const dataHash = await hashOf(dataset), galleryHash = await hashOf({ train: listed });
  if (before && (before.dataHash !== dataHash || before.galleryHash !== galleryHash)) {
    throw new DataError(
      `The photos in ${job.data}${
        before.dataHash === dataHash ? "'s gallery" : ""
      } are not those that the run in ${job.out} was trained on; give these, or another --out.`,
    );
  }
  assertUsable(dataset, job.data);
  const model = await createNetwork(config);
  assertFits(model, config, engine);
  await loadWeights(model, config, reporter);
  const faces = config.faces ? await bundledFaceFinder(input) : undefined;
  const sets = await readPhotoSets(dataset, listed, input, { ...job, faces });
  const { photos, enrolled, val, probes, undetected, gallery } = sets;

  const exam: Exam = { probes, undetected, input, seen: isSeen(dataset), seed: config.seed };
  const { untrained, pretrained } = await judgeStart(model, config, exam);
  const checkpoint = await trainNetwork(model, {
    ...job,
    ...{ config, photos, enrolled, val, before, dataHash, galleryHash, engine: engine.name },
  });
  signal.throwIfAborted();

  const published = await publish({
    ...{ model, checkpoint, exam, scheme: config.quantize, faces, out: job.out },
    calibration: config.quantize === "int8" ? await calibrationViews(photos, input) : [],
  });
  const inGallery = gallery.length === 0 ? undefined : await judgeInGallery(await readModelFiles(job.out), {
    gallery,
    probes,
    undetected,
    embeddings: published.embeddings,
  });
  const result = { untrained, pretrained, inGallery, seen: exam.seen, ...published };
  await writeFigures(result, { job, checkpoint, engine: `${engine.name}, ${engine.device}`, probes });
  reporter.info(
    `Verified the exported model: mean cosine ${
      published.card.quantization.meanCosine.toFixed(6)
    } to the float32 network.`,
  );
  return result;
}

/** Figures of a network before it trains: without any training, and with the weights that it starts from. */
async function judgeStart(
  model: tf.LayersModel,
  config: Config,
  exam: Exam,
): Promise<Pick<TrainResult, "untrained" | "pretrained">> {
  const { evaluation } = await judgeNetwork(model, exam);
  if (config.weights === undefined) return { untrained: evaluation, pretrained: undefined };
  const random = await createNetwork(config);
  const { evaluation: untrained } = await judgeNetwork(random, exam);
  random.dispose();
  return { untrained, pretrained: evaluation };
}

/** Writes metrics.json for programs and report.html for people. */
async function writeFigures(
  result: TrainResult,
  { job, checkpoint, engine, probes }: { job: TrainJob; checkpoint: Checkpoint; engine: string; probes: Probe[] },
): Promise<void> {
  const { out, data } = job;
  const { config, history } = checkpoint;
  const { untrained, pretrained, inGallery, card, embeddings, exported } = result;
  const { evaluation: trained, neighbours: _, pairs: __, ...judged } = result.trained;
  const gallery = inGallery?.figures;
  const figures = { config, untrained, pretrained, trained, exported: card.evaluation, gallery, ...judged, history };
  await Deno.writeTextFile(`${out}/metrics.json`, JSON.stringify(figures, null, 2));
  const log = await readRunLog(out);
  await writeReport(`${out}/report.html`, {
    ...{ title: data, config, card, engine, ...log, probes, embeddings, figures: exported, gallery },
    earlier: { Untrained: untrained, ...(pretrained && { "Weights as given": pretrained }), Trained: trained },
  });
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true });
  } catch (error) {
    throw new UsageError(`${path} cannot be made a directory: ${messageOf(error)}; give another --out.`);
  }
}

/** The engine that was asked for; of a run that goes on, unless one was, the engine that it was on, if it is there. */
async function engineFor({ engine, reporter }: TrainJob, before: Checkpoint | undefined): Promise<ChosenEngine> {
  const chosen = before && engine === "auto"
    ? await chooseEngine(before.engine).catch((error) => {
      if (error instanceof EngineMissing) return chooseEngine("auto");
      throw error;
    })
    : await chooseEngine(engine);
  if (before && chosen.name !== before.engine) {
    reporter.warn(
      `the run was on the engine ${before.engine}; on ${chosen.name} its weights come out slightly different.`,
    );
  }
  return chosen;
}

async function earlierCheckpoint({ out, resume, config, reporter }: TrainJob): Promise<Checkpoint | undefined> {
  if (!await hasCheckpoint(out)) {
    if (resume) reporter.warn(`there is no checkpoint in ${out} to go on from: this run starts anew.`);
    return undefined;
  }
  if (!resume) {
    throw new UsageError(`${out} holds a training run already: go on with it with --resume, or give another --out.`);
  }
  const checkpoint = await readCheckpoint(out);
  if (config) assertSameConfig(config, checkpoint.config);
  return checkpoint;
}

function assertSameConfig(given: Config, earlier: Config): void {
  for (const key of Object.keys({ ...given, ...earlier }) as (keyof Config)[]) {
    if (given[key] === earlier[key]) continue;
    throw new UsageError(
      `The run was started with ${key}=${earlier[key]}, not ${
        given[key]
      }: go on with the settings of its start, or with none given; or start another --out.`,
    );
  }
}

function assertUsable({ train, test }: Dataset, source: string): void {
  const photos = countByIdentity(train);
  if (photos.size < 2 || Math.max(...photos.values()) < 2) {
    throw new DataError(
      `${source} has ${train.length} photos of ${photos.size} identities to train on: a triplet needs two photos of one identity and one of another; add photos.`,
    );
  }
  const pairs = impostorPairs(test);
  if (pairs < ENOUGH_PAIRS) {
    throw new DataError(
      `The photos of ${source} that are kept to judge by make ${pairs} pairs of different identities, and thresholds need ${ENOUGH_PAIRS}: add photos or identities.`,
    );
  }
}
