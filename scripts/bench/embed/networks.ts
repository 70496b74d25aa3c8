import { UsageError } from "../../../shared/errors.ts";
import type { Activations } from "../../../shared/card.ts";
import { readLayers } from "../../../shared/int8/mod.ts";
import { type GraphFiles, readModelFiles } from "../../../shared/model_files.ts";
import type { Graph } from "../../../trainer/export/ir.ts";
import type { BackboneName } from "../../../trainer/models/backbones.ts";
import { readGraph } from "../../../worker/embedder/plan/graph.ts";
import { isLinear } from "../../../worker/embedder/plan/layers.ts";
import { lower } from "../../../worker/embedder/plan/lower.ts";
import { benchImage, type NetworkFiles } from "./network_files.ts";

/** Where the bundled model lies. */
const BUNDLED = "samples/model";
const DIMENSIONS = 128;

/** A network in float32, and in int8 where it can be had. */
export interface Network {
  float32: NetworkFiles;
  int8: NetworkFiles | null;
}

/** The networks that are measured, by name: a backbone at a size of image, with first weights; or the bundled model. */
export const NETWORKS: Readonly<Record<string, { backbone: BackboneName; pixels: number } | "bundled">> = {
  "resnet18-112": { backbone: "resnet18", pixels: 112 },
  "resnet50-224": { backbone: "resnet50", pixels: 224 },
  "mobilenet-v2-224": { backbone: "mobilenet-v2", pixels: 224 },
  "efficientnet-lite0-224": { backbone: "efficientnet-lite0", pixels: 224 },
  "mobilefacenet-112": { backbone: "mobilefacenet", pixels: 112 },
  "bundled": "bundled",
};

/** @throws {UsageError} if there is no such network */
export function chooseNetworks(text: string | undefined): string[] {
  const names = Object.keys(NETWORKS), chosen = text?.split(",") ?? names;
  const unknown = chosen.find((name) => !names.includes(name));
  if (unknown === undefined) return chosen;
  throw new UsageError(`--networks takes some of ${names.join(", ")}, not ${unknown}.`);
}

/** Makes a network, or reads the bundled one, of which there is no other arithmetic. */
export async function makeNetwork(name: string): Promise<Network> {
  const network = NETWORKS[name];
  if (network === "bundled") {
    const { modelJson, weights, card } = await readModelFiles(BUNDLED);
    return { float32: { modelJson, weights, input: card.input }, int8: null };
  }
  const { createEmbedder } = await import("../../../trainer/models/embedder.ts");
  const { graphOf } = await import("../../../trainer/export/fused.ts");
  const { toGraphDef } = await import("../../../trainer/export/graph_def.ts");
  const { quantizeKernels } = await import("../../../trainer/export/int8/per_channel.ts");
  const { encodeWeights } = await import("../../../trainer/export/quantize.ts");
  const { toGraphFiles } = await import("../../../trainer/export/write.ts");
  const { backbone, pixels } = network;
  const input = { height: pixels, width: pixels, channels: 3 } as const;
  const model = createEmbedder({ backbone, input, dimensions: DIMENSIONS, seed: 1 });
  const graph = await graphOf(model);
  model.dispose();
  const filesOf = (graph: Graph): GraphFiles => {
    const graphDef = toGraphDef(graph);
    return toGraphFiles(graphDef, encodeWeights(graphDef.constants, () => "none"));
  };
  const float32 = { ...filesOf(graph), input };
  return { float32, int8: { ...filesOf(quantizeKernels(graph)), input, activations: await activationsOf(float32) } };
}

/** The ranges of the image that all embed. */
async function activationsOf(float32: NetworkFiles): Promise<Activations> {
  const { tensor4d } = await import("@tensorflow/tfjs");
  const { bestGrid, measureRanges } = await import("../../../trainer/export/int8/ranges.ts");
  const { height, width, channels } = float32.input;
  const image = benchImage(float32.input);
  const ranges = await measureRanges(readLayers(float32), () => [tensor4d(image, [1, height, width, channels])]);
  return [...ranges].map(([node, range]) => ({ node, ...bestGrid(range) }));
}

/** Multiplications and additions of an embedding, in convolutions and matrix products. */
export function flopsOf(files: NetworkFiles): number {
  const { layers, values } = lower(readGraph(files), files.input);
  return layers.filter(isLinear).reduce((sum, { kind, size, input, output }) => {
    const { height, width, channels } = values[output];
    const seen = size.rows * size.columns * (kind === "depthwise" ? 1 : values[input].channels);
    return sum + 2 * height * width * channels * seen;
  }, 0);
}
