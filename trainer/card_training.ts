import type { Training } from "../shared/card.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { Config } from "./config.ts";
import manifest from "./deno.json" with { type: "json" };
import { BATCH_LAYOUTS } from "./losses/mod.ts";

/** What a model's card says of the run that trained it. */
export function cardTraining({ config, engine, history, seconds, dataHash }: Checkpoint): Training {
  return {
    backbone: sentence(
      config.backbone,
      config.weights && `weights ${config.weights}`,
      config.freeze && `frozen up to ${config.freeze}`,
    ),
    loss: sentence(
      config.loss,
      config.distance && `${config.distance} distance`,
      config.margin !== undefined && `margin ${config.margin}`,
    ),
    sampler: samplerText(config),
    optimizer: sentence(
      config.optimizer,
      `learning rate ${config.learningRate}`,
      `${config.warmupSteps} warm-up steps`,
      config.schedule,
      config.layerDecay < 1 && `layer decay ${config.layerDecay}`,
      config.weightDecay > 0 && `weight decay ${config.weightDecay}`,
      config.averageDecay !== undefined && `weights averaged by ${config.averageDecay}`,
    ),
    seed: config.seed,
    engine,
    epochs: history.length,
    seconds: Math.round(seconds),
    dataHash,
    version: manifest.version,
  };
}

function samplerText(config: Config): string {
  const { loss, sampler, batchSize, identitiesPerBatch, imagesPerIdentity } = config;
  const layout = BATCH_LAYOUTS[loss];
  if (layout !== undefined) return `${batchSize} ${layout}`;
  if (sampler === "shuffled") return `shuffled, ${batchSize} images`;
  const classes = sampler === "hard-classes" ? "identities that are alike" : "identities";
  return `PK, ${identitiesPerBatch} ${classes} x ${imagesPerIdentity} images`;
}

function sentence(...parts: (string | false | undefined)[]): string {
  return parts.filter(Boolean).join(", ");
}
