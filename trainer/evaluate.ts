import type { Evaluation, Threshold } from "../shared/card.ts";
import { DataError } from "../shared/errors.ts";
import { loadGraphNetwork } from "../shared/graph_network.ts";
import { readModelFiles } from "../shared/model_files.ts";
import { useWasmBackend } from "../shared/tfjs_wasm.ts";
import { labelsOf } from "./data/batches.ts";
import { readTestSamples } from "./data/dataset.ts";
import { readProbes } from "./data/photos.ts";
import { embedAll } from "./embed.ts";
import { type DistanceSummary, evaluateEmbeddings } from "./metrics/mod.ts";
import type { Reporter } from "./report/progress.ts";

/** What to judge, and on what. */
export interface EvaluateJob {
  /** A model directory. */
  model: string;
  /** A folder of photos of identities that the model was not trained on. */
  data: string;
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
}

/**
 * Judges an exported model on photos, embedded as the worker embeds them: same bytes to pixels, same graph, same backend.
 *
 * @throws {ModelError} if the model cannot be read
 * @throws {DataError} if the photos cannot be used or are too few
 */
export async function evaluateModel({ model, data, maxUnreadable, reporter }: EvaluateJob): Promise<ModelEvaluation> {
  const files = await readModelFiles(model);
  const { card } = files;
  const samples = await readTestSamples(data, card.training);
  const bar = reporter.progress("Reading photos", samples.length);
  const { items, unreadable } = await readProbes(samples, card.input, {
    maxUnreadable,
    onProgress: (done) => bar.update(done),
  });
  bar.done();
  for (const { path, reason } of unreadable) reporter.warn(`skipped ${path}: ${reason}`);
  if (items.length === 0) throw new DataError(`There are no photos in ${data} that can be read.`);
  await useWasmBackend();
  const embeddings = await embedAll(await loadGraphNetwork(files), items, card.input);
  const { evaluation, thresholds, genuine, impostor } = evaluateEmbeddings(embeddings, labelsOf(items), {
    seed: card.training.seed,
  });
  return { fingerprint: card.fingerprint, evaluation, thresholds, genuine, impostor };
}
