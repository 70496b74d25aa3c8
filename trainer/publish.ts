import type * as tf from "@tensorflow/tfjs";
import { cardTraining } from "./card_training.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { Config } from "./config.ts";
import { labelsOf } from "./data/batches.ts";
import type { Probe } from "./data/photos.ts";
import { embedAll } from "./embed.ts";
import { type Exported, exportModel, fusedNetwork, type Scheme } from "./export/mod.ts";
import { type EvaluatedEmbeddings, evaluateEmbeddings } from "./metrics/mod.ts";
import { inputOf } from "./models/pixel_scales.ts";

/** A trained network, and what makes a model directory of it. */
export interface Publication {
  model: tf.LayersModel;
  /** The run that trained it. */
  checkpoint: Checkpoint;
  /** Photos that it was not trained on. */
  probes: Probe[];
  /** Whether the probes' identities were trained on after all. */
  seen: boolean;
  scheme: Scheme;
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
  const { model, checkpoint, probes, seen, scheme, out } = publication;
  const { config } = checkpoint;
  const judge = judgeOf(probes, seen, config);
  const floatEmbeddings = await embedAll(model, probes, inputOf(config));
  const exported = await exportModel({
    model,
    input: inputOf(config),
    scheme,
    probes,
    floatEmbeddings,
    judge,
    training: cardTraining(checkpoint),
    out,
  });
  return { trained: judge(floatEmbeddings), ...exported };
}

/** Judges a network on photos of identities that it was not trained on. */
export async function judgeNetwork(
  model: tf.LayersModel,
  probes: Probe[],
  seen: boolean,
  config: Config,
): Promise<EvaluatedEmbeddings> {
  const fused = await fusedNetwork(model);
  try {
    return judgeOf(probes, seen, config)(await embedAll(fused, probes, inputOf(config)));
  } finally {
    fused.dispose();
  }
}

function judgeOf(
  probes: Probe[],
  seen: boolean,
  { seed }: Config,
): (embeddings: Float32Array) => EvaluatedEmbeddings {
  const labels = labelsOf(probes);
  return (embeddings) => {
    const judged = evaluateEmbeddings(embeddings, labels, { seed });
    const protocol = `${judged.evaluation.protocol}; identities ${seen ? "trained on too" : "never trained on"}`;
    return { ...judged, evaluation: { ...judged.evaluation, protocol } };
  };
}
