import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { loadGraphNetwork } from "../../../../shared/graph_network.ts";
import type { GraphFiles } from "../../../../shared/model_files.ts";
import { useWasmBackend } from "../../../../shared/tfjs_wasm.ts";
import { fold } from "../../../../trainer/export/fold.ts";
import { fuse } from "../../../../trainer/export/fuse.ts";
import { type GraphDef, toGraphDef } from "../../../../trainer/export/graph_def.ts";
import { encodeWeights } from "../../../../trainer/export/quantize.ts";
import type { Storage } from "../../../../trainer/export/storage.ts";
import { traceModel } from "../../../../trainer/export/trace.ts";
import { toGraphFiles } from "../../../../trainer/export/write.ts";

await useWasmBackend();

/** A network's graph, folded and fused. */
export async function graphDefOf(model: tf.LayersModel): Promise<GraphDef> {
  return toGraphDef(fuse(fold(await traceModel(model))));
}

/** A network's graph as tfjs loads it. */
export async function filesOf(model: tf.LayersModel, storage: Storage = () => "none"): Promise<GraphFiles> {
  const graphDef = await graphDefOf(model);
  return toGraphFiles(graphDef, encodeWeights(graphDef.constants, storage));
}

/** The operations of a network's graph in the order in which they run, weights left out. */
export async function operationsOf(model: tf.LayersModel): Promise<string[]> {
  const { topology } = await graphDefOf(model);
  return topology.node.map((node) => node.op).filter((op) => op !== "Const" && op !== "Placeholder");
}

/** Fails unless the graph computes what the layers model computes, within `1e-5` of the largest value. */
export async function assertComputesTheSame(model: tf.LayersModel, x: tf.Tensor): Promise<void> {
  const expected = model.predict(x) as tf.Tensor;
  const network = await loadGraphNetwork(await filesOf(model));
  const actual = network.predict(x) as tf.Tensor;
  assert.deepEqual(actual.shape, expected.shape);
  const [got, wanted] = [await actual.data(), await expected.data()];
  const scale = Math.max(1, ...wanted.map(Math.abs));
  const worst = Math.max(...got.map((value, i) => Math.abs(value - wanted[i])));
  assert.ok(wanted.some((value) => value !== 0), "the network gives only zeros: the test says nothing");
  assert.ok(worst <= 1e-5 * scale, `the graph is off by ${worst}, values go up to ${scale}`);
}

/** Cosine similarity of each row of what the graph and the layers model compute. */
export async function cosinesOf(model: tf.LayersModel, files: GraphFiles, x: tf.Tensor): Promise<number[]> {
  const expected = await (model.predict(x) as tf.Tensor2D).array();
  const network = await loadGraphNetwork(files);
  const actual = await (network.predict(x) as tf.Tensor2D).array();
  return actual.map((row, i) => {
    const dot = row.reduce((sum, value, j) => sum + value * expected[i][j], 0);
    return dot / (Math.hypot(...row) * Math.hypot(...expected[i]));
  });
}

/**
 * Gives every weight random values, as training leaves them: batch statistics far from 0 and 1, channels of unequal range,
 * nothing zero.
 */
export function randomizeWeights(model: tf.LayersModel, seed = 1): tf.LayersModel {
  const fill = (shape: number[], mean: number, deviation: number) =>
    tf.randomNormal(shape, mean, deviation, "float32", seed++);
  for (const weight of model.weights) {
    const name = weight.originalName;
    const shape = weight.shape as number[];
    const value = /variance/.test(name)
      ? tf.randomUniform(shape, 0.3, 2, "float32", seed++)
      : /gamma/.test(name)
      ? tf.randomUniform(shape, 0.4, 1.6, "float32", seed++)
      : shape.length > 1
      ? fill(shape, 0, Math.sqrt(2 / fanIn(name, shape)))
      : fill(shape, 0.1, 0.3);
    weight.write(value);
  }
  return model;
}

/** How many products make one output. */
function fanIn(name: string, shape: number[]): number {
  const inputs = shape.slice(0, /depthwise/.test(name) ? 2 : -1);
  return inputs.reduce((product, size) => product * size, 1);
}

/** `[batch, height, width, channels]` of normal noise. */
export function noise(shape: number[], seed = 7): tf.Tensor {
  return tf.randomNormal(shape, 0, 1, "float32", seed);
}
