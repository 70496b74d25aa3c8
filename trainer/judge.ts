import type * as tf from "@tensorflow/tfjs";
import type { InputSpec } from "../shared/card.ts";
import type { ModelFiles } from "../shared/model_files.ts";
import { labelsOf } from "./data/batches.ts";
import type { Probe } from "./data/photos.ts";
import { embedAll } from "./embed.ts";
import { fusedNetwork, withModel } from "./export/mod.ts";
import {
  type EvaluatedEmbeddings,
  type EvaluatedGallery,
  evaluateEmbeddings,
  evaluateInGallery,
  failuresOf,
  type IdentityFailures,
} from "./metrics/mod.ts";

/** Photos to judge a network by. */
export interface Exam {
  readonly probes: readonly Probe[];
  readonly input: InputSpec;
  /** Whether the probes' identities were trained on after all. */
  readonly seen: boolean;
  /** Of intervals, clusters and samples. */
  readonly seed: number;
}

/** Judges a network's embeddings of the probes, `[probes, dim] float32`. */
export function judgeEmbeddings(embeddings: Float32Array, { probes, seen, seed }: Exam): EvaluatedEmbeddings {
  const judged = evaluateEmbeddings(embeddings, labelsOf(probes), { seed });
  const protocol = `${judged.evaluation.protocol}; identities ${seen ? "trained on too" : "never trained on"}`;
  return { ...judged, evaluation: { ...judged.evaluation, protocol } };
}

/** Judges a network in float32. */
export async function judgeNetwork(model: tf.LayersModel, exam: Exam): Promise<EvaluatedEmbeddings> {
  const fused = await fusedNetwork(model);
  try {
    return judgeEmbeddings(await embedAll(fused, exam.probes, exam.input), exam);
  } finally {
    fused.dispose();
  }
}

/** How well probes are found in a gallery. */
export interface InGallery {
  readonly figures: Omit<EvaluatedGallery, "neighbours">;
  /** Rows in these are of the probes, and of the gallery where they are neighbours. */
  readonly failures: IdentityFailures[];
}

/**
 * Judges an exported model by looking probes up in a gallery.
 *
 * @param embeddings of the probes, `[probes, dim] float32`
 * @throws {DataError} if no probe's identity is in the gallery
 */
export async function judgeInGallery(
  model: ModelFiles,
  { gallery, probes, embeddings }: { gallery: readonly Probe[]; probes: readonly Probe[]; embeddings: Float32Array },
): Promise<InGallery> {
  const labels = labelsOf([...gallery, ...probes]);
  const enrolled = labels.subarray(0, gallery.length), searched = labels.subarray(gallery.length);
  const galleryEmbeddings = await withModel(model, (embed) => embed(gallery.map(({ pixels }) => pixels)));
  const { neighbours, ...figures } = evaluateInGallery(
    { embeddings: galleryEmbeddings, labels: enrolled },
    { embeddings, labels: searched },
  );
  return { figures, failures: failuresOf(neighbours, searched, enrolled) };
}
