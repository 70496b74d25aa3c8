import * as tf from "@tensorflow/tfjs";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import assert from "node:assert/strict";
import { UsageError } from "../../../shared/errors.ts";
import { batchGradient } from "../../../trainer/batch_gradient.ts";
import { resolveConfig } from "../../../trainer/config.ts";
import { chooseEngine } from "../../../trainer/engines/mod.ts";
import { tripletSemihard } from "../../../trainer/losses/mod.ts";
import { assertFits, stepBytes } from "../../../trainer/memory.ts";
import { lastFrozenLayer, wholeNetwork } from "../../../trainer/models/split.ts";
import { createNetwork } from "../../../trainer/network.ts";
import { createOptimizer, trainableVariables } from "../../../trainer/optimizers/mod.ts";

const engine = await chooseEngine("wasm");
const configOf = (...set: string[]) => resolveConfig({ preset: "products", set });
const model = await createNetwork(configOf());
/** The whole of a network that the wasm engine cannot hold a batch of. */
const LARGE = ["freeze=null", "cachedViews=0", "imageSize=256"];

Deno.test("stepBytes() grows with the images, and shrinks with the layers that are frozen", () => {
  const weights = stepBytes(model, undefined, 0), one = stepBytes(model, undefined, 1) - weights;
  assert(Math.abs(stepBytes(model, undefined, 10) - weights - 10 * one) < 1);
  const upper = stepBytes(model, lastFrozenLayer(model, "block09"), 24);
  assert(upper < stepBytes(model, undefined, 24) / 2);
});

Deno.test("stepBytes() is what the wasm engine's heap grows to, and up to a third more", async () => {
  const network = await createNetwork(configOf()), whole = wholeNetwork(network);
  const labels = Int32Array.from({ length: 16 }, (_, i) => i >> 2), images = tf.randomNormal([16, 160, 160, 3]);
  const optimizer = createOptimizer(trainableVariables(network), { optimizer: "adam", weightDecay: 0, momentum: 0 });
  for (let step = 0; step < 3; step++) {
    const { gradients } = await batchGradient(images, labels, optimizer.variables, {
      forward: (x) => whole(x, true),
      unitLength: true,
      loss: tripletSemihard({ margin: 0.5 }),
      lossVariables: [],
    });
    optimizer.descend(gradients);
  }
  const heap = (tf.backend() as BackendWasm).wasm.HEAPU8.byteLength, estimate = stepBytes(network, undefined, 16);
  assert(heap <= estimate && estimate <= heap * 4 / 3, `the heap is ${heap}, the estimate ${estimate}`);
});

Deno.test("assertFits() lets a run pass that the engine holds, and any on an engine without a bound", async () => {
  assertFits(model, configOf(), engine);
  assertFits(model, configOf("freeze=null", "cachedViews=0"), engine);
  const large = await createNetwork(configOf(...LARGE));
  assertFits(large, configOf(...LARGE, "chunkSize=24"), engine);
  assertFits(large, configOf(...LARGE), { ...engine, memory: undefined });
});

Deno.test("assertFits() refuses a run that the engine cannot hold, with the sizes and what to set", async () => {
  const config = configOf(...LARGE), large = await createNetwork(config);
  assert.throws(
    () => assertFits(large, config, engine),
    (error) =>
      error instanceof UsageError &&
      /48 images of 256 pixels takes about 5\.\d GB .* wasm engine holds 4\.3 GB: set chunkSize=\d\d /.test(
        error.message,
      ),
  );
  const [, chunk] = /chunkSize=(\d+)/.exec(messageOf(() => assertFits(large, config, engine)))!;
  assertFits(large, { ...config, chunkSize: Number(chunk) }, engine);
});

function messageOf(run: () => void): string {
  try {
    run();
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}
