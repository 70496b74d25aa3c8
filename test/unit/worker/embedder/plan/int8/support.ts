import type * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { type Plan, readLayers, runReference, type Step } from "../../../../../../shared/int8/mod.ts";
import type { Value } from "../../../../../../shared/int8/mod.ts";
import { graphOf } from "../../../../../../trainer/export/fused.ts";
import { toGraphDef } from "../../../../../../trainer/export/graph_def.ts";
import type { Int8Graph } from "../../../../../../trainer/export/int8/int8_graph.ts";
import { quantizeKernels } from "../../../../../../trainer/export/int8/per_channel.ts";
import { bestGrid, measureRanges } from "../../../../../../trainer/export/int8/ranges.ts";
import type { Graph } from "../../../../../../trainer/export/ir.ts";
import { encodeWeights } from "../../../../../../trainer/export/quantize.ts";
import { toGraphFiles } from "../../../../../../trainer/export/write.ts";
import { loadInt8 } from "../../../../../../worker/embedder/plan/int8/plan.ts";
import { BUILDS } from "../support.ts";

/** A network in int8 with ranges measured on one image: enough to compute with. */
export async function quickInt8Of(model: tf.LayersModel, image: tf.Tensor4D): Promise<Omit<Int8Graph, "layers">> {
  const graph = await graphOf(model);
  const filesOf = (graph: Graph) => {
    const graphDef = toGraphDef(graph);
    return toGraphFiles(graphDef, encodeWeights(graphDef.constants, () => "none"));
  };
  const ranges = await measureRanges(readLayers(filesOf(graph)), () => [image.clone()]);
  const activations = [...ranges].map(([node, range]) => ({ node, ...bestGrid(range) }));
  return { files: filesOf(quantizeKernels(graph)), activations };
}

/** How far float32 values may be off, by the largest of them. */
const TOLERANCE = 1e-5;

/**
 * Fails unless, on both builds, every value that lies in memory is that of the reference: codes to the bit, float32 up to rounding.
 *
 * @param image of whole numbers, so that the first layer's sums are exact
 */
export async function assertEqualsReference(plan: Plan, image: Float32Array, what: string): Promise<void> {
  const expected = runReference(plan, image);
  for (const build of BUILDS) {
    const run = await passesRun(plan, build);
    // The second run finds the memory as the first one left it.
    for (const _ of run(image.map((value) => -value))) { /* goes on */ }
    for (const { step, actual } of run(image)) {
      const { name, op } = step.layer, wanted = expected.get(name)!;
      const where = `${what}, ${build}: ${op} ${name}`;
      assert.equal(actual.length, wanted.length, where);
      const scale = wanted instanceof Uint8Array ? 0 : TOLERANCE * Math.max(...wanted.map(Math.abs));
      const off = actual.findIndex((value, i) => !(Math.abs(value - wanted[i]) <= scale));
      assert.equal(off, -1, `${where}: ${actual[off]} at ${off}, not ${wanted[off]}`);
    }
  }
}

/** @returns a function that computes pass after pass, and gives each value as it lies in memory then */
async function passesRun(plan: Plan, build: (typeof BUILDS)[number]) {
  const { binding, memory, kernels } = await loadInt8(plan, build);
  const { network: { values, passes }, framed, steps } = binding;
  return function* (image: Float32Array): Generator<{ step: Step; actual: Value }> {
    const { height, width, channels } = values[0];
    const frame = framed[0];
    new Uint8Array(memory.buffer, binding.arena + frame.offset, frame.bytes).fill(0);
    for (let row = 0; row < height; row++) {
      const line = image.subarray(row * width * channels, (row + 1) * width * channels);
      new Float32Array(memory.buffer, binding.at(0, row), width * channels).set(line);
    }
    for (const [i, { step, output }] of passes.entries()) {
      for (const { kernel, args } of steps[i]) kernels[kernel](...args);
      yield { step, actual: valueAt(output) };
    }
  };

  function valueAt(value: number): Value {
    const { height, width, channels, zero } = values[value];
    const Numbers = zero === null ? Float32Array : Uint8Array;
    const numbers = new Numbers(height * width * channels);
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const at = binding.at(value, row, column);
        numbers.set(new Numbers(memory.buffer, at, channels), (row * width + column) * channels);
      }
    }
    return numbers;
  }
}
