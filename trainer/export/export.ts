import type * as tf from "@tensorflow/tfjs";
import type { Activations, Card, Evaluation, FaceSpec, Golden, InputSpec, Training } from "../../shared/card.ts";
import { ModelError } from "../../shared/errors.ts";
import { type FaceFiles, fingerprintOf, type GraphFiles } from "../../shared/model_files.ts";
import { embedAll } from "../embed.ts";
import type { EvaluatedEmbeddings } from "../metrics/mod.ts";
import { writeFaceFiles } from "./face_networks.ts";
import { graphOf } from "./fused.ts";
import { goldensOf, spread } from "./goldens.ts";
import { toGraphDef } from "./graph_def.ts";
import { int8GraphOf } from "./int8/int8_graph.ts";
import { type LayerError, worstLayers } from "./int8/sensitivity.ts";
import type { Graph } from "./ir.ts";
import { encodeWeights, type Scheme, type StorageScheme } from "./quantize.ts";
import { type Storage, storagePlans } from "./storage.ts";
import {
  type Agreement,
  compareEmbeddings,
  disagreement,
  type Embed,
  MEAN_COSINE,
  onWasm,
  recallLoss,
  withGraph,
} from "./verify.ts";
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
  /** Images that it was trained on, on which the ranges of int8 are measured; other schemes need none. */
  calibration: readonly { pixels: Uint8Array }[];
  /** The grids with which it was trained for int8, if it was. */
  activations?: Activations | undefined;
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
  /** Of a model in int8: where the error arises. */
  layers?: LayerError[] | undefined;
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
  const graph = await graphOf(model);

  const faithful = scheme === "int8"
    ? await int8Faithful(graph, job, dimensions)
    : await smallestFaithful(graph, job, scheme, dimensions);
  const { files, activations, layers, embeddings, agreement, figures, recallAt1Delta } = faithful;
  const { evaluation, thresholds, calibration } = figures;
  const card: Card = {
    cardVersion: 1,
    fingerprint: await fingerprintOf(files.modelJson, files.weights, { input, face: face?.spec, activations }),
    ...face && { domain: "face" as const, face: face.spec },
    input,
    embedding: { dimensions, metric: "euclidean" },
    thresholds,
    calibration,
    evaluation: rounded(evaluation),
    quantization: {
      ...{ scheme, bytes: files.weights.length, ...agreement, recallAt1Delta },
      ...(activations && { activations }),
    },
    goldens: await goldensFor(faithful, pixels, input),
    training: job.training,
  };
  if (face !== undefined) await writeFaceFiles(job.out, face.files);
  await writeModel(job.out, files, card);
  if (layers) await Deno.writeTextFile(`${job.out}/quantization.json`, JSON.stringify({ layers }, null, 2));
  return { card, embeddings, exported: figures, layers };
}

/** A graph with its weights stored in some way, and what it is worth. */
interface Faithful {
  readonly files: GraphFiles;
  /** Of a model in int8, as is where its error arises. */
  readonly activations?: Activations;
  readonly layers?: LayerError[];
  readonly embeddings: Float32Array;
  readonly agreement: Agreement;
  readonly figures: EvaluatedEmbeddings;
  readonly recallAt1Delta: number;
}

/**
 * The first, and so the smallest, way to store the weights that keeps the embeddings of some images, compared with the layers
 * model's own, and recall@1 on all.
 */
async function smallestFaithful(
  graph: Graph,
  job: ExportJob,
  scheme: StorageScheme,
  dimensions: number,
): Promise<Faithful> {
  const { input } = job;
  const { some, reference } = await referenceFor(job);
  const few = spread(some.length, SENSITIVITY_IMAGES);
  const graphDef = toGraphDef(graph);
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
    const judged = judgedBy(job, await embed(files, job.probes));
    fault = recallLoss(scheme, judged.recallAt1Delta, job.probes.length);
    if (fault === undefined) return { files, agreement, ...judged };
  }
  throw fault;
}

/** The network in int8, if its embeddings are near enough to the layers model's own. */
async function int8Faithful(graph: Graph, job: ExportJob, dimensions: number): Promise<Faithful> {
  const { scheme, input, probes, calibration } = job;
  if (calibration.length === 0) {
    throw new ModelError("There are no images to measure the ranges of int8 on; give at least one.");
  }
  const { some, reference } = await referenceFor(job);
  const { files, activations, layers } = await onWasm(() =>
    int8GraphOf(graph, calibration.map(({ pixels }) => pixels), input, job.activations)
  );
  return await withGraph(files, input, async (embed) => {
    const agreement = compareEmbeddings(await embed(some.map(({ pixels }) => pixels)), reference, dimensions);
    const judged = judgedBy(job, await embed(probes.map(({ pixels }) => pixels)));
    const fault = disagreement(scheme, agreement) ?? recallLoss(scheme, judged.recallAt1Delta, probes.length);
    if (fault !== undefined) throw new ModelError(`${fault.message} ${worstLayers(layers)}`);
    return { files, activations, layers, agreement, ...judged };
  }, activations);
}

/** Some of the probes, and what the layers model makes of them. */
async function referenceFor({ model, probes, input }: ExportJob) {
  const some = spread(probes.length, Math.min(AGREEMENT_IMAGES, probes.length)).map((i) => probes[i]);
  return { some, reference: await embedAll(model, some, input) };
}

function judgedBy({ judge, recallAt1 }: ExportJob, embeddings: Float32Array) {
  const figures = judge(embeddings);
  return { embeddings, figures, recallAt1Delta: figures.evaluation.recallAt1 - recallAt1 };
}

function goldensFor(
  { files, activations }: Faithful,
  pixels: readonly Uint8Array[],
  input: InputSpec,
): Promise<Golden[]> {
  const goldens = (embed: Embed, float32?: Embed) => goldensOf(embed, pixels, input, float32);
  return withGraph(
    files,
    input,
    (float32) =>
      activations === undefined
        ? goldens(float32)
        : withGraph(files, input, (embed) => goldens(embed, float32), activations),
  );
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
