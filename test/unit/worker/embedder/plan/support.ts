import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { loadGraphNetwork } from "../../../../../shared/graph_network.ts";
import type { GraphFiles } from "../../../../../shared/model_files.ts";
import { compilePlan } from "../../../../../worker/embedder/plan/plan.ts";

/** Both builds of the kernels. */
export const BUILDS = ["relaxed SIMD", "SIMD"] as const;

/** Numbers in 0..1 by a linear congruential generator (Numerical Recipes, section 7.1). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

/**
 * Fails unless both builds of the plan give what tfjs gives within `1e-4` of the largest value, and again in a memory that was used.
 *
 * @param backend `wasm`, which is fast, but pads wrongly where a window is smaller than its stride; or `cpu`
 */
export async function assertAgreesWithTfjs(
  files: GraphFiles,
  shape: number[],
  what: string,
  backend: "wasm" | "cpu",
): Promise<void> {
  const [height, width, channels] = shape;
  await tf.setBackend(backend);
  const x = tf.randomNormal([1, height, width, channels], 0, 1, "float32", 1);
  const network = await loadGraphNetwork(files);
  const y = network.predict(x) as tf.Tensor;
  const [image, expected] = [await x.data<"float32">(), await y.data<"float32">()];
  network.dispose();
  tf.dispose([x, y]);
  const scale = Math.max(...expected.map(Math.abs));
  assert.ok(scale > 0, `${what} gives only zeros: the test says nothing`);
  for (const build of BUILDS) {
    const plan = await compilePlan(files, { height, width, channels: channels as 1 | 3 }, build);
    // The second run finds the arena as the first one left it.
    plan.run(image.map((value) => -3 * value));
    const actual = plan.run(image);
    assert.equal(actual.length, expected.length);
    const worst = Math.max(...actual.map((value, i) => Math.abs(value - expected[i])));
    assert.ok(worst <= 1e-4 * scale, `${what}, ${build}: off by ${worst}, values go up to ${scale}`);
  }
}
