// Not `import { z }`, an object of which a bundle for browsers would take all.
import * as z from "zod";
import { ModelError } from "./errors.ts";

/** How an image becomes the network's input tensor. Pixels are in 0..1 before mean and standard deviation. */
export const InputSpec = z.object({
  height: z.int().min(1).max(4096),
  width: z.int().min(1).max(4096),
  channels: z.union([z.literal(1), z.literal(3)]),
  fit: z.enum(["cover", "contain", "stretch"]),
  mean: z.array(z.number()),
  std: z.array(z.number().positive()),
}).refine((input) => input.mean.length === input.channels && input.std.length === input.channels, {
  message: "mean and std need one value for each channel",
});
export type InputSpec = z.infer<typeof InputSpec>;

/**
 * A distance at or below which two images are called the same, for one false-match rate: the share of impostor pairs that
 * it accepts. `fnmr` is the share of genuine pairs that it rejects, with its 95% interval.
 */
export const Threshold = z.object({
  fmr: z.number().gt(0).lt(1),
  distance: z.number().min(0),
  fnmr: z.number().min(0).max(1),
  fnmrLow: z.number().min(0).max(1),
  fnmrHigh: z.number().min(0).max(1),
});
export type Threshold = z.infer<typeof Threshold>;

/**
 * The false-match rate as a function of the distance: `fmr[i]` of the impostor pairs lie at `distance[i]` or nearer. Both
 * ascend. The first point is the lowest rate that the number of impostor pairs supports.
 */
export const Calibration = z.object({
  distance: z.array(z.number()).min(2),
  fmr: z.array(z.number().gt(0).max(1)).min(2),
}).refine((c) => c.distance.length === c.fmr.length, { message: "distance and fmr differ in length" });
export type Calibration = z.infer<typeof Calibration>;

const share = z.number().min(0).max(1);
const pixelScale = { mean: z.array(z.number()).length(3), std: z.array(z.number().positive()).length(3) };

/** A graph model beside `model.json`, and the fingerprint of its graph and weights. */
const NetworkFile = z.object({
  path: z.string().regex(/^[a-z]+\.json$/),
  fingerprint: z.string().regex(/^sha256:[0-9a-f]{64}$/),
});

const detection = {
  network: NetworkFile,
  /** Side of the square that the network is shown, pixels. */
  size: z.int().multipleOf(32).min(64).max(1024),
  /** Of a face. */
  minScore: share,
  /** Of two faces: the area that both boxes share over that which they cover together. */
  maxOverlap: share,
  ...pixelScale,
};

/** How faces are proposed in a whole photo. Pixels are scaled as those of {@linkcode InputSpec}. */
export const DetectorSpec = z.object({
  ...detection,
  /** Borders around the photo, as shares of its longer side, in the order in which they are tried. */
  borders: z.array(share).min(1),
});
export type DetectorSpec = z.infer<typeof DetectorSpec>;

/** How a proposal is looked at close up. */
export const RefinerSpec = z.object({
  ...detection,
  /** Border around the proposed box, as a share of its longer side. */
  border: share,
});
export type RefinerSpec = z.infer<typeof RefinerSpec>;

/** How the landmarks of a face are found, in a square of so many pixels. */
export const LandmarksSpec = z.object({ network: NetworkFile, size: z.int().min(16).max(1024), ...pixelScale });
export type LandmarksSpec = z.infer<typeof LandmarksSpec>;

/** Where the network's input has a landmark, pixels: what faces are aligned to. */
export const TemplatePoint = z.object({ landmark: z.int().min(0).max(67), x: z.number(), y: z.number() });
export type TemplatePoint = z.infer<typeof TemplatePoint>;

/** How good a face must be to be enrolled; the measures are those of `shared/face/quality.ts`. */
export const QualityLimits = z.object({
  minEyeDistance: z.number(),
  minSharpness: z.number(),
  maxRoll: z.number(),
  maxYaw: z.number(),
  maxPitch: z.number(),
  minBrightness: share,
  maxBrightness: share,
  minContrast: share,
});
export type QualityLimits = z.infer<typeof QualityLimits>;

/** How faces are found and turned upright before they are embedded. */
export const FaceSpec = z.object({
  /** Proposes where in the photo faces may be. */
  detector: DetectorSpec,
  /** Looks at each of these places close up. */
  refiner: RefinerSpec,
  landmarks: LandmarksSpec,
  template: z.array(TemplatePoint).min(2),
  quality: QualityLimits,
});
export type FaceSpec = z.infer<typeof FaceSpec>;

/** Figures on identities never trained on. Recall@10 and NMI are missing from the cards of older models. */
export const Evaluation = z.object({
  recallAt1: z.number(),
  recallAt5: z.number(),
  recallAt10: z.number().optional(),
  mapAtR: z.number(),
  rPrecision: z.number(),
  nmi: z.number().optional(),
  /** With one image of each identity enrolled, averaged over which one: the share of the others that are found first. */
  rank1: z.number().optional(),
  /** Share of the photos in which no face was found; they count as errors in all figures. */
  undetected: z.number().optional(),
  auc: z.number(),
  eer: z.number(),
  tarAtFar: z.record(z.string(), z.number()),
  identities: z.int(),
  images: z.int(),
  protocol: z.string(),
});
export type Evaluation = z.infer<typeof Evaluation>;

/** What a value's codes from 0 to 127 mean: `(code - zero) * scale`. */
export const Grid = z.object({ scale: z.number().positive(), zero: z.int().min(0).max(127) });
export type Grid = z.infer<typeof Grid>;

/** The grids of the values that a model in int8 keeps as codes, by the names of the graph's nodes. */
export const Activations = z.array(Grid.extend({ node: z.string() }));
export type Activations = z.infer<typeof Activations>;

/**
 * The exported model against the float32 layers model. Under the scheme `int8` the model is the one of int8 arithmetic
 * (`shared/int8/plan.ts`), and all figures, thresholds and goldens of the card are its own. Stock tfjs, or any other float32
 * runtime, computes the same graph without the `activations`.
 */
export const Quantization = z.object({
  scheme: z.enum(["none", "float16", "uint8", "int8"]),
  bytes: z.int(),
  meanCosine: z.number(),
  minCosine: z.number(),
  recallAt1Delta: z.number(),
  activations: Activations.optional(),
});
export type Quantization = z.infer<typeof Quantization>;

/**
 * An input and the embedding that a runtime must reproduce: a PNG of the network's input size, base64. Of a model in int8,
 * `float32` is the embedding that a float32 runtime must give instead: close to the other, not equal to it.
 */
export const Golden = z.object({
  input: z.base64(),
  embedding: z.array(z.number()),
  float32: z.array(z.number()).optional(),
});
export type Golden = z.infer<typeof Golden>;

/** How the model came to be. */
export const Training = z.object({
  backbone: z.string(),
  loss: z.string(),
  sampler: z.string(),
  optimizer: z.string(),
  seed: z.int(),
  engine: z.string(),
  epochs: z.int(),
  seconds: z.number(),
  dataHash: z.string(),
  version: z.string(),
});
export type Training = z.infer<typeof Training>;

/** The model card: what rides in `model.json` as `userDefinedMetadata.triptych`. */
export const Card = z.object({
  cardVersion: z.literal(1),
  fingerprint: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  /** What the model embeds; missing where that is the whole photo. */
  domain: z.literal("face").optional(),
  /** Of the domain `face`. */
  face: FaceSpec.optional(),
  input: InputSpec,
  embedding: z.object({ dimensions: z.int().min(1), metric: z.literal("euclidean") }),
  thresholds: z.array(Threshold).min(1),
  calibration: Calibration,
  evaluation: Evaluation,
  quantization: Quantization,
  goldens: z.array(Golden).min(3),
  training: Training,
});
export type Card = z.infer<typeof Card>;

/**
 * Reads the card out of a parsed `model.json`.
 *
 * @throws {ModelError} if it is not there or not a card of a version that we know
 */
export function cardOf(modelJson: unknown, where: string): Card {
  const metadata = (modelJson as { userDefinedMetadata?: { triptych?: unknown } })?.userDefinedMetadata?.triptych;
  if (metadata === undefined) {
    throw new ModelError(`${where} has no model card; write it with \`deno task train\` or \`deno task export\`.`);
  }
  const parsed = Card.safeParse(metadata);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new ModelError(`The model card of ${where} is not valid at ${issue.path.join(".")}: ${issue.message}.`);
}
