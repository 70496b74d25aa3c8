import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import type { Batch } from "../../trainer/data/batches.ts";
import { chooseEngine } from "../../trainer/engines/mod.ts";
import { fit, type StepRecord } from "../../trainer/fit.ts";
import { LOSSES } from "../../trainer/losses/mod.ts";
import { createEmbedder } from "../../trainer/models/embedder.ts";
import { thinResnet } from "../../trainer/models/resnet.ts";
import { wholeNetwork } from "../../trainer/models/split.ts";
import { createOptimizer, trainableVariables } from "../../trainer/optimizers/mod.ts";
import { randomStream } from "../../trainer/random.ts";
import { absence } from "./parity.ts";

const SIZE = 8;
const LABELS = Int32Array.of(0, 0, 1, 1, 2, 2);
/** Steps after which everything that is made once has been made. */
const SETTLED = 50;

/**
 * Trains for long on an engine: tensors, their bytes and the engine's heap stay what they were.
 *
 * @param usual how many steps, unless the environment variable `SOAK_STEPS` says
 */
export async function soak(name: string, usual: number): Promise<void> {
  const steps = Number(Deno.env.get("SOAK_STEPS") ?? usual);
  const missing = await absence(name);
  Deno.test({
    name: `${name}: ${steps} steps leave nothing behind${missing ? ` (not tested: ${missing})` : ""}`,
    ignore: missing !== undefined,
    async fn() {
      await chooseEngine(name);
      const seen = await memoryOf(steps);
      const settled = seen[SETTLED], last = seen[steps - 1];
      assert.equal(last.tensors, settled.tensors);
      assert.equal(last.bytes, settled.bytes);
      assert.equal(last.heap, settled.heap);
    },
  });
}

async function memoryOf(steps: number) {
  const model = createEmbedder({
    backbone: (x, initializers) => thinResnet(x, [8], initializers),
    input: { height: SIZE, width: SIZE, channels: 3 },
    dimensions: 8,
    seed: 1,
  });
  const whole = wholeNetwork(model);
  const { loss, variables } = LOSSES["triplet-semihard"]({ classes: 3, dimensions: 8, seed: 1 });
  const optimizer = createOptimizer(trainableVariables(model), { optimizer: "adam", weightDecay: 0, momentum: 0 });
  const seen: { tensors: number; bytes: number; heap: number }[] = [];
  await fit({
    below: undefined,
    forward: (x) => whole(x, true),
    unitLength: true,
    loss,
    lossVariables: variables,
    optimizer,
    batches: { at: (step) => Promise.resolve(batchOf(step)), waitedMs: () => 0, close: () => {} },
    learningRate: () => 1e-4,
    startStep: 0,
    endStep: steps,
    stepsPerEpoch: steps,
    teaches: () => true,
    onStep: (_record: StepRecord) => {
      const { numTensors: tensors, numBytes: bytes } = tf.memory();
      seen.push({ tensors, bytes, heap: heapOf(tf.backend()) });
    },
    onSkip: () => {},
    onEpoch: () => Promise.resolve(true),
    signal: new AbortController().signal,
  });
  optimizer.dispose();
  model.dispose();
  return seen;
}

/** Bytes of the memory that the wasm engine has taken; nothing is known of that of others. */
function heapOf(backend: object): number {
  const { wasm } = backend as { wasm?: { HEAPU8: Uint8Array } };
  return wasm?.HEAPU8.byteLength ?? 0;
}

function batchOf(step: number): Batch {
  const random = randomStream(step);
  const values = Float32Array.from({ length: LABELS.length * SIZE * SIZE * 3 }, () => 2 * random() - 1);
  return { values, shape: [LABELS.length, SIZE, SIZE, 3], labels: LABELS };
}
