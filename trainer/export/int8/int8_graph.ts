import * as tf from "@tensorflow/tfjs";
import type { Activations, InputSpec } from "../../../shared/card.ts";
import { normalize } from "../../../shared/image/mod.ts";
import { gridsOf, planOf, readLayers } from "../../../shared/int8/mod.ts";
import type { GraphFiles } from "../../../shared/model_files.ts";
import { concatenate } from "../../concatenate.ts";
import { spread } from "../goldens.ts";
import { type GraphDef, toGraphDef } from "../graph_def.ts";
import type { Graph } from "../ir.ts";
import { encodeWeights, type StorageScheme } from "../quantize.ts";
import { toGraphFiles } from "../write.ts";
import { correctedBiases } from "./bias_correction.ts";
import { quantizeKernels } from "./per_channel.ts";
import { bestGrid, measureRanges } from "./ranges.ts";
import { type LayerError, layerErrors } from "./sensitivity.ts";

/** How many images the ranges of the values are measured on. */
export const CALIBRATION_IMAGES = 128;
/** How many pixels go through the network at a time: those of 32 images of 160 x 160. */
const BATCH_PIXELS = 32 * 160 ** 2;
/** How many images tell where the error arises. */
const ERROR_IMAGES = 8;

/** A network for int8 inference. */
export interface Int8Graph {
  readonly files: GraphFiles;
  readonly activations: Activations;
  readonly layers: LayerError[];
}

/**
 * Prepares a network for int8 inference: weights in whole numbers with a scale for each output channel, and values in 7 bits.
 * Unless the network was trained in int8, the ranges of the values are measured on images, and biases corrected for what both add
 * to the means.
 *
 * @param graph folded and fused
 * @param images that the network was trained on, `[height, width, channels]` 8-bit pixels each
 * @param trained the grids with which it was trained in int8
 * @throws {ModelError} if it has an operation that int8 inference does not know
 */
export async function int8GraphOf(
  graph: Graph,
  images: readonly Uint8Array[],
  input: InputSpec,
  trained?: Activations | undefined,
): Promise<Int8Graph> {
  const exact = readLayers(filesOf(toGraphDef(graph), "none"));
  const activations = trained ?? await measuredGrids(graph, images, input);
  const grids = gridsOf(activations);
  let graphDef = toGraphDef(quantizeKernels(graph));
  if (trained === undefined) {
    const batch = batchOf(spreadOver(images, batchSize(input)), input);
    const biases = await correctedBiases(
      planOf(exact, new Map()),
      planOf(readLayers(filesOf(graphDef, "float16")), grids),
      batch,
    );
    batch.dispose();
    const constants = graphDef.constants.map((one) => ({ ...one, values: biases.get(one.name) ?? one.values }));
    graphDef = { ...graphDef, constants };
  }
  const files = filesOf(graphDef, "float16");

  const few = batchOf(spreadOver(images, ERROR_IMAGES), input);
  const layers = await layerErrors(exact, readLayers(files), grids, few);
  few.dispose();
  return { files, activations, layers };
}

/**
 * The grids of a network's values, by their ranges on images.
 *
 * @param graph folded and fused
 * @param images `[height, width, channels]` 8-bit pixels each
 * @throws {ModelError} if it has an operation that int8 inference does not know
 */
export async function measuredGrids(
  graph: Graph,
  images: readonly Uint8Array[],
  input: InputSpec,
): Promise<Activations> {
  const count = batchSize(input);
  const ranges = await measureRanges(readLayers(filesOf(toGraphDef(graph), "none")), function* () {
    for (let start = 0; start < images.length; start += count) yield batchOf(images.slice(start, start + count), input);
  });
  return [...ranges].map(([node, range]) => ({ node, ...bestGrid(range) }));
}

/** Images that go through the network at a time. */
function batchSize({ height, width }: InputSpec): number {
  return Math.max(1, Math.floor(BATCH_PIXELS / (height * width)));
}

function spreadOver(images: readonly Uint8Array[], count: number): Uint8Array[] {
  return spread(images.length, Math.min(count, images.length)).map((i) => images[i]);
}

/** A graph with its weights, those of 8 bits as they are and others by a scheme. */
export function filesOf(graphDef: GraphDef, scheme: StorageScheme): GraphFiles {
  return toGraphFiles(graphDef, encodeWeights(graphDef.constants, () => scheme));
}

function batchOf(images: readonly Uint8Array[], input: InputSpec): tf.Tensor4D {
  const rows = images.map((pixels) => normalize(pixels, input));
  return tf.tensor4d(concatenate(rows), [rows.length, input.height, input.width, input.channels]);
}
