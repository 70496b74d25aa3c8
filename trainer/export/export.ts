import type * as tf from "@tensorflow/tfjs";
import type { Card, Evaluation, FaceSpec, InputSpec, Training } from "../../shared/card.ts";
import { ModelError } from "../../shared/errors.ts";
import { type FaceFiles, fingerprintOf, type GraphFiles } from "../../shared/model_files.ts";
import { embedAll } from "../embed.ts";
import type { EvaluatedEmbeddings } from "../metrics/mod.ts";
import { writeFaceFiles } from "./face_networks.ts";
import { graphOf } from "./fused.ts";
import { goldensOf, spread } from "./goldens.ts";
import type { GraphDef } from "./graph_def.ts";
import { encodeWeights, type Scheme } from "./quantize.ts";
import { type Storage, storagePlans } from "./storage.ts";
import { type Agreement, compareEmbeddings, disagreement, MEAN_COSINE, recallLoss, withGraph } from "./verify.ts";
import { toGraphFiles, writeModel } from "./write.ts";

/** How many images tell whether the graph computes what the network does. */
const AGREEMENT_IMAGES = 200;
/** How many images tell what quantising one kernel costs. */
const SENSITIVITY_IMAGES = 8;

/** What is exported, and what it is judged by. */
export interface ExportJob {
  /** One input, `[batch, height, width, channels]`, and one output, `[batch, dim]` of unit length. */
  model: tf.LayersModel;
  input: InputSpec;
  scheme: Scheme;
  /** Real images that the model was not trained on: `[height, width, channels]` 8-bit pixels each. */
  probes: readonly { pixels: Uint8Array }[];
  /** Recall@1 of the network in float32 on the probes. */
  recallAt1: number;
  /** Figures of embeddings of the probes. */
  judge: (embeddings: Float32Array) => EvaluatedEmbeddings;
  training: Training;
  /** Of a network of faces: how the faces among the probes were found. */
  face?: { spec: FaceSpec; files: FaceFiles } | undefined;
  /** Images to make the goldens of, pixels as those of the probes; the probes, unless given. */
  examples?: readonly Uint8Array[] | undefined;
  /** The directory to write. */
  out: string;
}

/** What was written, and what it makes of the probes. */
export interface Exported {
  card: Card;
  /** `[probes, dim] float32`. */
  embeddings: Float32Array;
  /** The figures of these embeddings. */
  exported: EvaluatedEmbeddings;
}

/**
 * Writes a network as a tfjs graph model with its card. Before anything is written, the graph is run as the worker runs it
 * and must agree with the network that was trained, on real images.
 *
 * @throws {ModelError} if a layer cannot be exported, or the graph computes something else than the network
 */
export async function exportModel(job: ExportJob): Promise<Exported> {
  const { model, input, scheme, face, examples } = job;
  const dimensions = dimensionsOf(model);
  const pixels = examples ?? job.probes.map((probe) => probe.pixels);
  if (job.probes.length === 0) {
    throw new ModelError("There are no images to verify the export with; give at least one.");
  }
  const graphDef = await graphOf(model);

  const { files, embeddings, agreement, figures, recallAt1Delta } = await smallestFaithful(graphDef, job, dimensions);
  const { evaluation, thresholds, calibration } = figures;
  const card: Card = {
    cardVersion: 1,
    fingerprint: await fingerprintOf(files.modelJson, files.weights, { input, face: face?.spec }),
    ...face && { domain: "face" as const, face: face.spec },
    input,
    embedding: { dimensions, metric: "euclidean" },
    thresholds,
    calibration,
    evaluation: rounded(evaluation),
    quantization: { scheme, bytes: files.weights.length, ...agreement, recallAt1Delta },
    goldens: await withGraph(files, input, (embed) => goldensOf(embed, pixels, input)),
    training: job.training,
  };
  if (face !== undefined) await writeFaceFiles(job.out, face.files);
  await writeModel(job.out, files, card);
  return { card, embeddings, exported: figures };
}

/** A graph with its weights stored in some way, and what it is worth. */
interface Faithful {
  readonly files: GraphFiles;
  readonly embeddings: Float32Array;
  readonly agreement: Agreement;
  readonly figures: EvaluatedEmbeddings;
  readonly recallAt1Delta: number;
}

/**
 * The first, and so the smallest, way to store the weights that keeps the embeddings of some images, compared with the layers
 * model's own, and recall@1 on all.
 */
async function smallestFaithful(graphDef: GraphDef, job: ExportJob, dimensions: number): Promise<Faithful> {
  const { model, scheme, input, probes, judge } = job;
  const some = spread(probes.length, Math.min(AGREEMENT_IMAGES, probes.length)).map((i) => probes[i]);
  const reference = await embedAll(model, some, input);
  const few = spread(some.length, SENSITIVITY_IMAGES);
  const filesOf = (storage: Storage) => toGraphFiles(graphDef, encodeWeights(graphDef.constants, storage));
  const embed = (files: GraphFiles, images: ExportJob["probes"]) =>
    withGraph(files, input, (embed) => embed(images.map(({ pixels }) => pixels)));
  const lossOf = async (storage: Storage) => {
    const embeddings = await embed(filesOf(storage), few.map((i) => some[i]));
    return 1 - compareEmbeddings(embeddings, rowsOf(reference, few, dimensions), dimensions).meanCosine;
  };

  let fault: ModelError | undefined;
  for await (const storage of storagePlans(graphDef.constants, scheme, 1 - MEAN_COSINE[scheme], lossOf)) {
    const files = filesOf(storage);
    const agreement = compareEmbeddings(await embed(files, some), reference, dimensions);
    fault = disagreement(scheme, agreement);
    if (fault !== undefined) continue;
    const embeddings = await embed(files, probes);
    const figures = judge(embeddings);
    const recallAt1Delta = figures.evaluation.recallAt1 - job.recallAt1;
    fault = recallLoss(scheme, recallAt1Delta, probes.length);
    if (fault === undefined) return { files, embeddings, agreement, figures, recallAt1Delta };
  }
  throw fault;
}

function rowsOf(embeddings: Float32Array, rows: number[], dimensions: number): Float32Array {
  const chosen = new Float32Array(rows.length * dimensions);
  rows.forEach((row, i) => chosen.set(embeddings.subarray(row * dimensions, (row + 1) * dimensions), i * dimensions));
  return chosen;
}

function dimensionsOf(model: tf.LayersModel): number {
  const [, dimensions, ...others] = model.outputs[0].shape;
  if (typeof dimensions !== "number" || others.length > 0) {
    throw new ModelError(
      `The model "${model.name}" gives [${
        model.outputs[0].shape.join(", ")
      }]; an embedding network gives [batch, dimensions].`,
    );
  }
  return dimensions;
}

function rounded(evaluation: Evaluation): Evaluation {
  return JSON.parse(
    JSON.stringify(evaluation, (_key, value) => typeof value === "number" ? Number(value.toPrecision(6)) : value),
  );
}
