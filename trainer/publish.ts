import type * as tf from "@tensorflow/tfjs";
import type { Card, InputSpec } from "../shared/card.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { Config } from "./config.ts";
import { labelsOf } from "./data/batches.ts";
import type { Probe } from "./data/photos.ts";
import manifest from "./deno.json" with { type: "json" };
import { embedAll } from "./embed.ts";
import { exportModel, type Scheme } from "./export/mod.ts";
import { type EvaluatedEmbeddings, evaluateEmbeddings } from "./metrics/mod.ts";

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

/**
 * Judges a trained network and exports it with its card.
 *
 * @returns the figures of the float32 network, and the card with those of the exported one
 * @throws {ModelError} if the exported model is not the one that was trained
 */
export async function publish(publication: Publication): Promise<{ trained: EvaluatedEmbeddings; card: Card }> {
  const { model, checkpoint, probes, seen, scheme, out } = publication;
  const { config, engine, seconds, dataHash, history } = checkpoint;
  const judge = judgeOf(probes, seen, config);
  const floatEmbeddings = await embedAll(model, probes, inputOf(config));
  const card = await exportModel({
    model,
    input: inputOf(config),
    scheme,
    probes,
    floatEmbeddings,
    judge,
    training: {
      backbone: config.backbone,
      loss: [
        config.loss,
        config.distance && `${config.distance} distance`,
        config.margin !== undefined && `margin ${config.margin}`,
      ].filter(Boolean).join(", "),
      sampler: config.sampler === "pk"
        ? `PK, ${config.identitiesPerBatch} identities x ${config.imagesPerIdentity} images`
        : `shuffled, ${config.batchSize} images`,
      optimizer: `Adam, learning rate ${config.learningRate}, ${config.warmupSteps} warm-up steps, ${config.schedule}`,
      seed: config.seed,
      engine,
      epochs: history.length,
      seconds: Math.round(seconds),
      dataHash,
      version: manifest.version,
    },
    out,
  });
  return { trained: judge(floatEmbeddings), card };
}

/** Judges a network on photos of identities that it was not trained on. */
export async function judgeNetwork(
  model: tf.LayersModel,
  probes: Probe[],
  seen: boolean,
  config: Config,
): Promise<EvaluatedEmbeddings> {
  return judgeOf(probes, seen, config)(await embedAll(model, probes, inputOf(config)));
}

/** How a photo becomes the network's input: pixels from -1 to 1. */
export function inputOf({ imageSize, channels, fit }: Config): InputSpec {
  const half = new Array(channels).fill(0.5);
  return { height: imageSize, width: imageSize, channels, fit, mean: half, std: half };
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
