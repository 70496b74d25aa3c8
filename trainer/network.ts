import type * as tf from "@tensorflow/tfjs";
import { fileURLToPath } from "node:url";
import { UsageError } from "../shared/errors.ts";
import type { Config } from "./config.ts";
import { type BackboneName, BACKBONES } from "./models/backbones.ts";
import { createEmbedder } from "./models/embedder.ts";
import { inputOf } from "./models/pixel_scales.ts";
import { loadFaceApi, readFaceApi } from "./models/weights/face_api.ts";
import { loadLayersBackbone, loadPretrained } from "./models/weights/mod.ts";
import type { Reporter } from "./report/progress.ts";

/** Weights that come with this program, by backbone. */
const BUNDLED: Partial<Record<string, string>> = {
  "efficientnet-lite0": fileURLToPath(import.meta.resolve("../samples/backbones/efficientnet-lite0.safetensors")),
};
const CACHE = ".triptych/weights";

/** The network of a configuration, with random weights that follow from its seed. */
export async function createNetwork(config: Config): Promise<tf.LayersModel> {
  const { backbone } = config;
  return createEmbedder({
    ...config,
    backbone: isNamed(backbone) ? backbone : await loadLayersBackbone(backbone),
    input: inputOf(config),
  });
}

/**
 * Puts the trained weights that a configuration starts from into its network.
 *
 * @throws {UsageError} if there are none of that name for the backbone
 * @throws {ModelError} if they cannot be read or do not fit
 */
export async function loadWeights(model: tf.LayersModel, config: Config, reporter: Reporter): Promise<void> {
  const { backbone, weights, weightsHash } = config;
  if (weights === undefined) return;
  if (weights === "dlib") return await loadDlib(model, config);
  const { matched, unexpected } = await loadPretrained(model, backbone, {
    location: weights === "imagenet" ? bundled(backbone) : weights,
    sha256: weightsHash,
    cache: CACHE,
  });
  reporter.info(
    `Weights: ${matched.length} tensors of ${weights} for ${backbone}${
      unexpected.length > 0 ? `; ${unexpected.length} others are of no use here` : ""
    }.`,
  );
}

/** dlib's face network, head and all. @throws {UsageError} if the network is not as that */
async function loadDlib(model: tf.LayersModel, { backbone, dimensions, channels }: Config): Promise<void> {
  if (backbone !== "face-resnet" || dimensions !== 128 || channels !== 3) {
    throw new UsageError(
      "The weights dlib are there for face-resnet with 128 dimensions and 3 channels: set these, or give a file with --set weights=FILE.",
    );
  }
  await loadFaceApi(model, await readFaceApi("face_recognition_model"));
}

function isNamed(backbone: string): backbone is BackboneName {
  return Object.hasOwn(BACKBONES, backbone);
}

function bundled(backbone: string): string {
  const location = BUNDLED[backbone];
  if (location !== undefined) return location;
  throw new UsageError(
    `The weights imagenet are there for ${Object.keys(BUNDLED).join(", ")}, not for ${backbone}: ` +
      "give a file with --set weights=FILE, or train from scratch with --preset scratch.",
  );
}
