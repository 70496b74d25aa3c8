import { z } from "zod";
import { UsageError } from "../shared/errors.ts";
import { type BackboneName, BACKBONES } from "./models/backbones.ts";
import { DISTANCE_METRICS, type DistanceMetric, LOSSES, type LossName } from "./losses/mod.ts";
import { PIXEL_SCALES } from "./models/pixel_scales.ts";

const names = <T extends string>(record: Record<T, unknown>) => Object.keys(record) as [T, ...T[]];
const fraction = z.number().min(0).max(1);
const positive = z.number().positive();
const count = z.int().min(1);

/** Every setting of a training run: what `--config FILE` holds and `--set KEY=VALUE` changes. */
export const Config = z.strictObject({
  backbone: z.union([z.enum(names(BACKBONES)), z.string().regex(/\.json$/)], {
    error: `it is one of ${Object.keys(BACKBONES).join(", ")}, or the model.json of a tfjs layers model`,
  }).default("thin-resnet" satisfies BackboneName).describe(
    `the network below the embedding: ${Object.keys(BACKBONES).join(", ")}, or the model.json of a tfjs layers model`,
  ),
  weights: z.string().min(1).optional().describe(
    "trained weights to start from: imagenet for those of samples/backbones, dlib for those of face-resnet, or a path or URL of .safetensors, .h5 or model.json",
  ),
  weightsHash: z.string().optional().describe("SHA-256 of the weights; a URL needs it"),
  imageSize: z.int().min(16).max(512).default(64).describe("height and width of the network's input, pixels"),
  channels: z.union([z.literal(1), z.literal(3)]).default(3).describe("3 for colour, 1 for grey"),
  fit: z.enum(["cover", "contain", "stretch"]).default("cover").describe("how a photo fills the input"),
  faces: z.boolean().default(false).describe(
    "whether the network sees the largest face of a photo, upright, as the networks of samples/face-model find it",
  ),
  pixels: z.enum(names(PIXEL_SCALES)).optional().describe(
    "how pixels are scaled, by default as the weights expect it, and from -1 to 1 without weights",
  ),
  dimensions: count.default(128).describe("length of an embedding"),

  loss: z.enum(names(LOSSES)).default("triplet-semihard" satisfies LossName).describe("the training loss"),
  distance: z.enum(DISTANCE_METRICS as [DistanceMetric, ...DistanceMetric[]]).optional().describe(
    "the distance in a triplet or contrastive loss, by default the loss's own",
  ),
  margin: positive.optional().describe("of the loss, by default the loss's own; so are the six below"),
  softMargin: z.boolean().optional().describe("of triplet-hard: log(1 + exp(d)) instead of a margin"),
  positiveMargin: z.number().min(0).optional().describe("of contrastive: how far apart photos of one identity may be"),
  temperature: positive.optional().describe("of supcon, by which similarities are divided"),
  alpha: positive.optional().describe("of multi-similarity for positives, and of proxy-anchor"),
  beta: positive.optional().describe("of multi-similarity, for negatives"),
  base: z.number().optional().describe("of multi-similarity: the cosine that both are measured from"),
  scale: positive.optional().describe("of arcface, what cosines are multiplied by"),
  unitLength: z.boolean().default(true).describe(
    "whether the loss sees embeddings of unit length; those of the exported model always have it",
  ),

  sampler: z.enum(["pk", "hard-classes", "shuffled"]).default("pk").describe(
    "how batches are drawn: P identities with K images each, the same with identities that are alike, or plainly shuffled; losses of pairs and triplets draw these",
  ),
  identitiesPerBatch: z.int().min(2).default(16).describe("P of the PK sampler"),
  imagesPerIdentity: z.int().min(2).default(4).describe("K of the PK sampler"),
  batchSize: z.int().min(3).default(32).describe("images in a shuffled batch, or pairs or triplets in one of these"),
  chunkSize: count.optional().describe(
    "images that go through the network at a time, for batches larger than memory; the loss sees the whole batch; by default all at once",
  ),

  epochs: count.default(100).describe("passes over as many photos as there are to train on"),
  maxSteps: count.optional().describe("stops after so many steps, whatever the epochs"),
  patience: count.optional().describe(
    "epochs without a better validation recall@1 after which the run ends, with the best weights",
  ),
  rescue: z.boolean().default(false).describe(
    "goes back to the last good checkpoint, with a tenth of the learning rate, when the embedding collapses or the loss is not finite",
  ),

  freeze: z.string().min(1).optional().describe(
    "the last block, stage or layer that is not trained, such as block09; backbone for all below the embedding",
  ),
  cachedViews: z.int().min(0).default(0).describe(
    "random views of each photo whose activations at the end of the frozen part are computed once and kept; 0 computes them at every step",
  ),
  headSteps: z.int().min(0).default(0).describe("steps, before all others, that train the embedding's layer alone"),
  layerDecay: fraction.gt(0).default(1).describe(
    "learning rate of a block as a share of that of the block above it, from the embedding down",
  ),
  qat: z.boolean().default(false).describe(
    "trains a quarter as many steps more, at a tenth of the learning rate, on the network as int8 computes it: to try where int8 costs recall",
  ),
  batchNorm: z.enum(["batch", "fixed"]).default("batch").describe(
    "what BatchNorm normalises by in training: the batch's statistics, or those that it came with",
  ),

  optimizer: z.enum(["adam", "adamw", "sgd"]).default("adam").describe("what follows the gradient"),
  learningRate: positive.default(3e-3).describe("of the optimiser, at its highest"),
  momentum: fraction.lt(1).default(0.9).describe("of sgd"),
  weightDecay: z.number().min(0).default(0).describe("of adamw and sgd, on kernels"),
  clipNorm: positive.optional().describe("greatest length of the gradient; longer ones are scaled down to it"),
  averageDecay: fraction.lt(1).optional().describe(
    "of the moving average of the weights that is exported instead of the last ones",
  ),
  warmupSteps: z.int().min(0).default(20).describe("steps of linear rise to the learning rate"),
  schedule: z.enum(["cosine", "step", "constant"]).default("cosine").describe(
    "how the learning rate goes on: falling as a cosine to 1%, by decayFactor every decaySteps, or as it is",
  ),
  decaySteps: count.optional().describe("of the schedule step, by default a third of all steps"),
  decayFactor: fraction.gt(0).default(0.1).describe("of the schedule step"),

  minCropArea: fraction.gt(0).default(0.4).describe(
    "smallest share of a photo that a random crop keeps; 1 crops nothing",
  ),
  flip: z.boolean().default(true).describe("whether photos are mirrored at random"),
  brightness: fraction.default(0.2).describe("greatest relative change of brightness"),
  contrast: fraction.default(0.1).describe("greatest relative change of contrast"),
  saturation: fraction.default(0.1).describe("greatest relative change of saturation"),
  hue: fraction.max(0.5).default(0).describe("greatest change of hue, in turns"),
  grey: fraction.default(0).describe("share of photos that lose their colours"),
  blur: fraction.default(0).describe("share of photos that are blurred"),
  cutout: fraction.lt(1).default(0).describe("greatest share of a photo that a random patch covers"),

  quantize: z.enum(["none", "float16", "uint8", "int8"]).default("uint8").describe(
    "how the exported weights are stored, or int8 for a model that also computes in 8 bits",
  ),
  seed: z.int().min(0).max(2 ** 31 - 1).default(1).describe("of everything random"),
});
export type Config = z.infer<typeof Config>;

/** Fine-tuning of a network that knows photos of things: the lower half frozen and computed once, the upper half trained on it. */
const PRODUCTS: Partial<Config> = {
  backbone: "efficientnet-lite0",
  weights: "imagenet",
  imageSize: 160,
  loss: "triplet-semihard",
  distance: "L2",
  margin: 0.5,
  identitiesPerBatch: 12,
  freeze: "block09",
  cachedViews: 2,
  batchNorm: "fixed",
  learningRate: 1e-3,
  warmupSteps: 10,
};

/** What the answer trained MNIST with. */
const MNIST: Partial<Config> = {
  backbone: "resnet50",
  imageSize: 28,
  channels: 1,
  epochs: 3,
  learningRate: 1e-3,
  warmupSteps: 0,
  schedule: "constant",
  minCropArea: 1,
  flip: false,
  brightness: 0,
  contrast: 0,
  saturation: 0,
};

/** Settings by name of a preset: what it changes of the defaults. */
export const PRESETS: Record<string, Partial<Config>> = {
  products: { ...PRODUCTS, maxSteps: 40 },
  scratch: { loss: "triplet-semihard", distance: "squared-L2", margin: 0.3, warmupSteps: 125, maxSteps: 2500 },
  faces: {
    ...{ backbone: "face-resnet", weights: "dlib", faces: true, imageSize: 150, freeze: "stage3", cachedViews: 2 },
    ...{ loss: "triplet-semihard", distance: "L2", margin: 0.2, identitiesPerBatch: 12, imagesPerIdentity: 4 },
    ...{ learningRate: 1e-5, warmupSteps: 10, minCropArea: 0.9, grey: 0.2, maxSteps: 40 },
  },
  omniglot: {
    ...{ loss: "triplet-semihard", distance: "squared-L2", margin: 0.3, channels: 1, imageSize: 48, maxSteps: 1000 },
    ...{ minCropArea: 0.7, flip: false, brightness: 0, contrast: 0, saturation: 0 },
  },
  "mnist-seed": { ...MNIST, loss: "triplet-semihard", distance: "L2", margin: 1, sampler: "shuffled" },
  "siamese-seed": { ...MNIST, loss: "siamese-bce", unitLength: false },
};

/** The data that a preset is meant for, by its name: what is trained on unless other data is given. */
export const PRESET_DATA: Record<string, string> = { "mnist-seed": "mnist:", "siamese-seed": "mnist:" };

/** What a person gave, from weakest to strongest. */
export interface ConfigSources {
  preset?: string | undefined;
  /** A parsed `--config` file. */
  file?: unknown;
  /** `KEY=VALUE` texts. */
  set?: string[] | undefined;
}

/**
 * One configuration from a preset, a file and single settings, each overriding the one before; `null` takes a preset's
 * setting back to the default.
 *
 * @throws {UsageError} that names the setting, if one is unknown or has an impossible value
 */
export function resolveConfig({ preset = "products", file = {}, set = [] }: ConfigSources): Config {
  if (!Object.hasOwn(PRESETS, preset)) {
    throw new UsageError(`There is no preset ${preset}; there are ${Object.keys(PRESETS).join(", ")}.`);
  }
  if (typeof file !== "object" || file === null || Array.isArray(file)) {
    throw new UsageError('A file of settings must hold one JSON object, such as {"seed": 2}.');
  }
  const own: Record<string, unknown> = { ...file, ...Object.fromEntries(set.map(parseSetting)) };
  const given: Record<string, unknown> = { ...PRESETS[preset], ...own };
  for (const key in given) if (given[key] === null) delete given[key];
  if (given.qat === true) given.quantize ??= "int8";
  // A preset's margin and distance are those of its loss: another loss has its own.
  if (given.loss !== PRESETS[preset].loss) Object.assign(given, { margin: own.margin, distance: own.distance });
  const parsed = Config.safeParse(given);
  if (parsed.success) return consistent(parsed.data);
  const issue = parsed.error.issues[0];
  if (issue.code === "unrecognized_keys") {
    const keys = Object.keys(Config.shape).join(", ");
    throw new UsageError(`There is no setting ${issue.keys.join(", ")}; there are ${keys}.`);
  }
  const key = issue.path.join(".");
  throw new UsageError(
    `The setting ${key} cannot be ${JSON.stringify(given[key])}: ${issue.message}.`,
  );
}

/** @throws {UsageError} if a setting would have no effect without another */
function consistent(config: Config): Config {
  const idle: [boolean, string][] = [
    [config.weightDecay > 0 && config.optimizer === "adam", "weightDecay has no effect on adam: take optimizer=adamw"],
    [
      config.chunkSize !== undefined && config.batchNorm === "batch",
      "chunkSize takes a batch apart, by whose statistics batchNorm=batch normalises: set batchNorm=fixed",
    ],
    [config.weightsHash !== undefined && config.weights === undefined, "weightsHash is given without weights"],
    [
      config.cachedViews > 0 && config.freeze === undefined && config.headSteps === 0,
      "cachedViews keeps what frozen layers give and nothing is frozen: set freeze too, or cachedViews=0",
    ],
    [
      config.qat && config.quantize !== "int8",
      `qat trains the network for int8, and quantize=${config.quantize} exports another: take quantize=int8, or leave qat out`,
    ],
    [
      config.qat && config.patience !== undefined,
      "patience ends a run with its best weights, before qat could train them for int8: take one of the two",
    ],
    [
      config.freeze === "backbone" && config.headSteps > 0,
      "headSteps come before those that train more than the head, and freeze=backbone leaves none: take one of the two",
    ],
  ];
  const fault = idle.find(([applies]) => applies);
  if (fault) throw new UsageError(`${fault[1]}.`);
  return config;
}

/** Each setting with its default and meaning, a line each. */
export function describeSettings(): string {
  return Object.entries(Config.shape).map(([key, schema]) => {
    const fallback = (schema as z.ZodType).safeParse(undefined).data;
    const inner = schema.unwrap();
    const choices = inner instanceof z.ZodEnum ? `: ${inner.options.join(", ")}` : "";
    return `  ${key.padEnd(20)} ${schema.description}${choices}${
      fallback === undefined ? "" : ` (default ${fallback})`
    }`;
  }).join("\n");
}

function parseSetting(text: string): [string, unknown] {
  const at = text.indexOf("=");
  if (at < 1) throw new UsageError(`--set takes KEY=VALUE, not ${text}.`);
  const value = text.slice(at + 1);
  try {
    return [text.slice(0, at), JSON.parse(value)];
  } catch {
    return [text.slice(0, at), value];
  }
}
