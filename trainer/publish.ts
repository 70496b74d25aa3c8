import type * as tf from "@tensorflow/tfjs";
import { cardTraining } from "./card_training.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { type Exported, exportModel, type Scheme } from "./export/mod.ts";
import type { FaceFinder } from "./faces.ts";
import { type Exam, judgeEmbeddings, judgeNetwork } from "./judge.ts";
import type { EvaluatedEmbeddings } from "./metrics/mod.ts";

/** A trained network, and what makes a model directory of it. */
export interface Publication {
  model: tf.LayersModel;
  /** The run that trained it. */
  checkpoint: Checkpoint;
  exam: Exam;
  scheme: Scheme;
  /** Photos that it was trained on, as it sees them when served: `int8` is calibrated on some of them. */
  calibration: readonly { pixels: Uint8Array }[];
  /** Of a run with faces. */
  faces?: FaceFinder | undefined;
  /** The directory to write. */
  out: string;
}

/** What was published. */
export interface Published extends Exported {
  /** The figures of the float32 network. */
  trained: EvaluatedEmbeddings;
}

/**
 * Judges a trained network and exports it with its card.
 *
 * @throws {ModelError} if the exported model is not the one that was trained
 */
export async function publish(publication: Publication): Promise<Published> {
  const { model, checkpoint, exam, scheme, calibration, faces, out } = publication;
  const trained = await judgeNetwork(model, exam);
  const exported = await exportModel({
    model,
    input: exam.input,
    scheme,
    calibration,
    activations: checkpoint.activations,
    probes: exam.probes,
    recallAt1: trained.evaluation.recallAt1,
    judge: (embeddings) => judgeEmbeddings(embeddings, exam),
    training: cardTraining(checkpoint),
    ...faces && { face: faces, examples: faces.examples },
    out,
  });
  return { trained, ...exported };
}
