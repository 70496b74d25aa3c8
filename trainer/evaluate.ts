import type { Evaluation, Threshold } from "../shared/card.ts";
import { DataError } from "../shared/errors.ts";
import { loadFaceNetworks } from "../shared/face_networks.ts";
import { type ModelFiles, readModelFiles } from "../shared/model_files.ts";
import { useWasmBackend } from "../shared/tfjs_wasm.ts";
import { labelsOf } from "./data/batches.ts";
import { readGallery, readTestSamples } from "./data/dataset.ts";
import { type Probe, readFaceProbes, type ReadOptions, readProbes } from "./data/photos.ts";
import type { Sample } from "./data/sample.ts";
import { withModel } from "./export/mod.ts";
import { type NamedFailures, nameFailures } from "./failures.ts";
import { evaluateProbes, type InGallery, judgeInGallery } from "./judge.ts";
import { type DistanceSummary, type EvaluatedEmbeddings, failuresOf, type Identification } from "./metrics/mod.ts";
import type { Reporter } from "./report/progress.ts";
import { writeReport } from "./report/report.ts";

/** What to judge, and on what. */
export interface EvaluateJob {
  /** A model directory. */
  model: string;
  /** A folder of photos of identities that the model was not trained on. */
  data: string;
  /** Photos to look these up in; `packshots/` of the data, unless given. */
  gallery: string | undefined;
  /** Where to write an HTML page of the figures, if anywhere. */
  report: string | undefined;
  /** The share of files that may be unreadable. */
  maxUnreadable: number;
  reporter: Reporter;
}

/** Figures of a model on photos. */
export interface ModelEvaluation {
  fingerprint: string;
  evaluation: Evaluation;
  thresholds: Threshold[];
  /** Distances of pairs of one identity, and of two. */
  genuine: DistanceSummary;
  impostor: DistanceSummary;
  /** Searches among the photos themselves, by people enrolled and by others. */
  identification: Identification;
  /** The identities that some photo was not found for among the others, worst first. */
  failures: NamedFailures[];
  /** The same photos looked up in a gallery, if there is one. */
  gallery?: InGallery["figures"] & { failures: NamedFailures[] };
}

/**
 * Judges an exported model on photos, embedded as the worker embeds them: same bytes to pixels, same graph, same backend.
 *
 * @throws {ModelError} if the model cannot be read
 * @throws {DataError} if the photos cannot be used or are too few
 */
export async function evaluateModel(job: EvaluateJob): Promise<ModelEvaluation> {
  const model = await readModelFiles(job.model);
  const { card } = model;
  const { items: probes, undetected } = await read(
    await readTestSamples(job.data, card.training),
    "photos",
    model,
    job,
  );
  const { items: gallery } = await read(await readGallery(job.data, job.gallery), "the gallery", model, job);
  if (probes.length === 0) {
    const lacking = undetected ? "with a face that can be found" : "that can be read";
    throw new DataError(`There are no photos in ${job.data} ${lacking}.`);
  }
  const embeddings = await withModel(model, (embed) => embed(probes.map(({ pixels }) => pixels)));
  const labels = labelsOf(probes);
  const judged = evaluateProbes(embeddings, { probes, undetected, seed: card.training.seed });
  const inGallery = gallery.length > 0
    ? await judgeInGallery(model, { gallery, probes, undetected, embeddings })
    : undefined;
  if (job.report !== undefined) {
    await writeReport(job.report, {
      ...{ title: job.data, config: {}, card, engine: undefined, steps: [], epochs: [], probes, embeddings },
      ...{ earlier: {}, figures: judged, gallery: inGallery?.figures },
    });
  }
  return {
    ...figuresOf(judged),
    fingerprint: card.fingerprint,
    failures: nameFailures(failuresOf(judged.neighbours, labels), probes, probes),
    ...inGallery && {
      gallery: { ...inGallery.figures, failures: nameFailures(inGallery.failures, probes, gallery) },
    },
  };
}

interface Read {
  items: Probe[];
  /** Of a model of faces: the photos without one that was found. */
  undetected?: Sample[];
}

async function read(samples: Sample[], what: string, model: ModelFiles, job: EvaluateJob): Promise<Read> {
  if (samples.length === 0) return { items: [] };
  const { maxUnreadable, reporter } = job;
  const bar = reporter.progress(`Reading ${what}`, samples.length);
  const options = { maxUnreadable, onProgress: (done: number) => bar.update(done) };
  const { unreadable, ...found } = await readInputs(samples, model, options);
  bar.done();
  for (const { path, reason } of unreadable) reporter.warn(`skipped ${path}: ${reason}`);
  return found;
}

async function readInputs(samples: Sample[], { card, face }: ModelFiles, options: ReadOptions) {
  if (card.face === undefined || face === undefined) return await readProbes(samples, card.input, options);
  await useWasmBackend();
  return await readFaceProbes(samples, await loadFaceNetworks(face), { input: card.input, face: card.face }, options);
}

function figuresOf({ evaluation, thresholds, genuine, impostor, identification }: EvaluatedEmbeddings) {
  return { evaluation, thresholds, genuine, impostor, identification };
}
