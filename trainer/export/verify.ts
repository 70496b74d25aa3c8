import * as tf from "@tensorflow/tfjs";
import type { Activations, InputSpec } from "../../shared/card.ts";
import { ModelError } from "../../shared/errors.ts";
import { loadGraphNetwork } from "../../shared/graph_network.ts";
import { gridsOf, planOf, readLayers } from "../../shared/int8/mod.ts";
import type { GraphFiles, ModelFiles } from "../../shared/model_files.ts";
import { useWasmBackend } from "../../shared/tfjs_wasm.ts";
import { embedAll } from "../embed.ts";
import { simulate } from "./int8/simulate.ts";
import type { Scheme } from "./quantize.ts";

/** The lowest mean cosine between exported and float32 embeddings with which a model is written. */
export const MEAN_COSINE: Readonly<Record<Scheme, number>> = {
  none: 0.99999,
  float16: 0.9999,
  uint8: 0.999,
  int8: 0.99,
};

/** The largest loss of recall@1 with which a model is written: one point, or one image where there are fewer than 100. */
export const RECALL_LOSS = 0.01;

/** Unit length within this, or the network does not end in an L2 normalisation. */
const LENGTH_TOLERANCE = 1e-3;

/** How well two lists of embeddings agree. */
export interface Agreement {
  readonly meanCosine: number;
  readonly minCosine: number;
}

/** From images, `[height, width, channels]` 8-bit pixels each, to `[images, dim] float32`, row by row. */
export type Embed = (pixels: Uint8Array[]) => Promise<Float32Array<ArrayBuffer>>;

/** Runs a model as the worker does: see {@link withGraph}. */
export function withModel<T>({ card, ...files }: ModelFiles, use: (embed: Embed) => Promise<T>): Promise<T> {
  return withGraph(files, card.input, use, card.quantization.activations);
}

/**
 * Runs a graph as the worker does: stock tfjs, WASM backend; or, of a model in int8, its arithmetic to the bit.
 *
 * @param use what to do with it, while it is loaded
 * @param activations of a model in int8; without them it is computed in float32
 */
export function withGraph<T>(
  files: GraphFiles,
  input: InputSpec,
  use: (embed: Embed) => Promise<T>,
  activations?: Activations,
): Promise<T> {
  return onWasm(async () => {
    const network = activations === undefined
      ? await loadGraphNetwork(files)
      : simulate(planOf(readLayers(files), gridsOf(activations)));
    try {
      return await use((pixels) => embedAll(network, pixels.map((image) => ({ pixels: image })), input));
    } finally {
      network.dispose();
    }
  });
}

/** Works on tfjs's WASM backend. The backend that was in use, if one was, is in use again afterwards. */
export async function onWasm<T>(work: () => Promise<T>): Promise<T> {
  const before: string | undefined = tf.getBackend();
  await useWasmBackend();
  try {
    return await work();
  } finally {
    if (before !== undefined) await tf.setBackend(before);
  }
}

/**
 * Cosine similarity row by row.
 *
 * @param exported `[n, dim] float32`
 * @param reference `[n, dim] float32`
 * @throws {ModelError} if the rows are not of unit length, or not of finite numbers
 */
export function compareEmbeddings(exported: Float32Array, reference: Float32Array, dimensions: number): Agreement {
  const cosines: number[] = [];
  for (let start = 0; start < reference.length; start += dimensions) {
    let dot = 0, exportedSquare = 0, referenceSquare = 0;
    for (let i = start; i < start + dimensions; i++) {
      dot += exported[i] * reference[i];
      exportedSquare += exported[i] ** 2;
      referenceSquare += reference[i] ** 2;
    }
    if (!(Math.abs(referenceSquare - 1) < LENGTH_TOLERANCE)) {
      throw new ModelError(
        `The network's embedding of image ${start / dimensions + 1} has the length ${
          Math.sqrt(referenceSquare).toFixed(3)
        }, not 1; end the network with an L2Normalize layer, and see that its weights are finite.`,
      );
    }
    cosines.push(dot / Math.sqrt(exportedSquare * referenceSquare));
  }
  const mean = cosines.reduce((sum, cosine) => sum + cosine, 0) / cosines.length;
  return { meanCosine: Math.min(1, mean), minCosine: Math.min(1, ...cosines) };
}

/** What is wrong with an exported model whose embeddings are too far from those of the network that was trained, if they are. */
export function disagreement(scheme: Scheme, { meanCosine }: Agreement): ModelError | undefined {
  if (meanCosine >= MEAN_COSINE[scheme]) return undefined;
  return new ModelError(
    `The ${scheme} export differs from the trained network: mean cosine ${meanCosine.toFixed(6)}, at least ${
      MEAN_COSINE[scheme]
    } is needed; ${adviceFor(scheme)}.`,
  );
}

/**
 * What is wrong with an exported model that finds too few of the images that the network found, if it does.
 *
 * @param recallAt1Delta recall@1 of the exported model minus that of the float32 network
 * @param images how many it was taken over
 */
export function recallLoss(scheme: Scheme, recallAt1Delta: number, images: number): ModelError | undefined {
  const allowed = Math.max(RECALL_LOSS, 1 / images);
  // A hair more, for the rounding of shares.
  if (recallAt1Delta >= -allowed - 1e-9) return undefined;
  return new ModelError(
    `The ${scheme} export loses ${(-100 * recallAt1Delta).toFixed(1)} points of recall@1, at most ${
      (100 * allowed).toFixed(1)
    } are let pass; ${adviceFor(scheme)}.`,
  );
}

function adviceFor(scheme: Scheme): string {
  const better = { none: undefined, float16: "none", uint8: "float16", int8: "uint8" }[scheme];
  return better === undefined
    ? "this is a defect of the exporter, please report it"
    : `export with --quantize ${better}`;
}
