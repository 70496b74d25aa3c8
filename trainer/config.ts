import { z } from "zod";
import { UsageError } from "../shared/errors.ts";
import { type BackboneName, BACKBONES } from "./models/backbones.ts";
import { DISTANCE_METRICS, type DistanceMetric, LOSSES, type LossName } from "./losses/mod.ts";

const names = <T extends string>(record: Record<T, unknown>) => Object.keys(record) as [T, ...T[]];
const fraction = z.number().min(0).max(1);
const count = z.int().min(1);

/** Every setting of a training run: what `--config FILE` holds and `--set KEY=VALUE` changes. */
export const Config = z.strictObject({
  backbone: z.enum(names(BACKBONES)).default("thin-resnet" satisfies BackboneName).describe(
    "the network below the embedding",
  ),
  imageSize: z.int().min(16).max(512).default(64).describe("height and width of the network's input, pixels"),
  channels: z.union([z.literal(1), z.literal(3)]).default(3).describe("3 for colour, 1 for grey"),
  fit: z.enum(["cover", "contain", "stretch"]).default("cover").describe("how a photo fills the input"),
  dimensions: count.default(128).describe("length of an embedding"),
  loss: z.enum(names(LOSSES)).default("triplet-semihard" satisfies LossName).describe("the training loss"),
  distance: z.enum(DISTANCE_METRICS as [DistanceMetric, ...DistanceMetric[]]).optional().describe(
    "the distance in a triplet or contrastive loss, by default the loss's own",
  ),
  margin: z.number().positive().optional().describe("of the loss, by default the loss's own"),
  sampler: z.enum(["pk", "shuffled"]).default("pk").describe(
    "how batches are drawn: P identities with K images each, or plainly shuffled",
  ),
  batchSize: z.int().min(3).default(32).describe("images in a shuffled batch"),
  identitiesPerBatch: z.int().min(2).default(16).describe("P of the PK sampler"),
  imagesPerIdentity: z.int().min(2).default(4).describe("K of the PK sampler"),
  epochs: count.default(100).describe("passes over as many photos as there are to train on"),
  maxSteps: count.optional().describe("stops after so many steps, whatever the epochs"),
  learningRate: z.number().positive().default(3e-3).describe("of Adam, at its highest"),
  warmupSteps: z.int().min(0).default(20).describe("steps of linear rise to the learning rate"),
  schedule: z.enum(["cosine", "constant"]).default("cosine").describe(
    "how the learning rate goes on: falling as a cosine to 1%, or as it is",
  ),
  minCropArea: fraction.gt(0).default(0.4).describe(
    "smallest share of a photo that a random crop keeps; 1 crops nothing",
  ),
  flip: z.boolean().default(true).describe("whether photos are mirrored at random"),
  brightness: fraction.default(0.2).describe("greatest relative change of brightness"),
  contrast: fraction.default(0.1).describe("greatest relative change of contrast"),
  saturation: fraction.default(0.1).describe("greatest relative change of saturation"),
  quantize: z.enum(["none", "float16", "uint8"]).default("uint8").describe("how the exported weights are stored"),
  seed: z.int().min(0).max(2 ** 31 - 1).default(1).describe("of everything random"),
});
export type Config = z.infer<typeof Config>;

const SEMIHARD = { loss: "triplet-semihard", distance: "squared-L2", margin: 0.3 } as const;

/** Settings by name of a preset: what it changes of the defaults. */
export const PRESETS: Record<string, Partial<Config>> = {
  products: { ...SEMIHARD, warmupSteps: 125, maxSteps: 2500 },
  demo: { ...SEMIHARD, maxSteps: 300 },
  "mnist-seed": {
    backbone: "resnet50",
    imageSize: 28,
    channels: 1,
    distance: "L2",
    margin: 1,
    sampler: "shuffled",
    epochs: 3,
    learningRate: 1e-3,
    warmupSteps: 0,
    schedule: "constant",
    minCropArea: 1,
    flip: false,
    brightness: 0,
    contrast: 0,
    saturation: 0,
  },
};

/** What a person gave, from weakest to strongest. */
export interface ConfigSources {
  preset?: string | undefined;
  /** A parsed `--config` file. */
  file?: unknown;
  /** `KEY=VALUE` texts. */
  set?: string[] | undefined;
}

/**
 * One configuration from a preset, a file and single settings, each overriding the one before.
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
  // A preset's margin and distance are those of its loss: another loss has its own.
  if (given.loss !== PRESETS[preset].loss) Object.assign(given, { margin: own.margin, distance: own.distance });
  const parsed = Config.safeParse(given);
  if (parsed.success) return parsed.data;
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
