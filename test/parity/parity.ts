import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { EngineMissing } from "../../trainer/engines/engine.ts";
import { ENGINES } from "../../trainer/engines/mod.ts";
import { LOSSES, type LossName } from "../../trainer/losses/mod.ts";
import { assertClose, normal } from "../unit/trainer/engines/gradients.ts";
import { type Case, CASES } from "./cases.ts";
import { SIX_STEPS, type Trained, trainSixSteps } from "./six_steps.ts";

/** How far an operation or a gradient may be from the reference, as a share of its greatest value. */
const OPERATION_TOLERANCE = 1e-4;
/** How far a loss may be from the reference, as a share of its greatest value in the six steps. */
const LOSS_TOLERANCE = 1e-4;
/** How far a weight may be from the reference's after six steps, as a share of how far it has come. */
const MOVEMENT_TOLERANCE = 1e-3;

/**
 * Tests one engine against `cpu` in float32: every operation of our networks with every gradient, the optimisers, and
 * six steps of training with each loss. Where the engine is not there, says why and tests nothing.
 */
export async function paritySuite(engine: string): Promise<void> {
  const reason = await absence(engine);
  if (reason !== undefined) {
    console.log(`${engine} is not tested: ${reason}`);
    Deno.test({ name: `${engine} is as the cpu engine (not tested: ${reason})`, ignore: true, fn() {} });
    return;
  }
  const backend = tf.getBackend();
  await tf.setBackend("cpu");
  const using = async <T>(name: string, compute: () => Promise<T>): Promise<T> => {
    await tf.setBackend(name);
    return await compute();
  };
  for (const [name, example] of Object.entries(CASES)) {
    Deno.test(`${engine}: ${name} and its gradients are the cpu engine's`, async () => {
      const expected = await using("cpu", () => outputAndGradients(example));
      const actual = await using(backend, () => outputAndGradients(example));
      expected.forEach((values, i) =>
        assertClose(actual[i], values, OPERATION_TOLERANCE, i === 0 ? "output" : `gradient ${i}`)
      );
    });
  }
  for (const { name, loss, optimizer } of SIX_STEPS) {
    Deno.test(`${engine}: six steps of ${optimizer} with ${loss}${name} end where the cpu engine's do`, async () => {
      const run = () => trainSixSteps({ name, loss, optimizer });
      assertSameTraining(await using(backend, run), await using("cpu", run));
    });
  }
  Deno.test(`${engine}: every loss was trained with`, () => {
    assert.deepEqual(
      [...new Set(SIX_STEPS.map(({ loss }) => loss))].sort(),
      (Object.keys(LOSSES) as LossName[]).sort(),
    );
  });
}

/** Why an engine cannot be tested here, or undefined if it runs now. */
export async function absence(engine: string): Promise<string | undefined> {
  if (!Object.hasOwn(ENGINES, engine)) return "this version has no such engine.";
  try {
    await ENGINES[engine].start();
  } catch (error) {
    if (!(error instanceof EngineMissing)) throw error;
    return error.message;
  }
  return undefined;
}

/** The output, and the gradients of `sum(sin(output))`, on the engine that runs now. */
async function outputAndGradients({ shapes, compute }: Case): Promise<Float32Array[]> {
  const tensors = tf.tidy(() => {
    const inputs = shapes.map((shape, i) => tf.tensor(normal(tf.util.sizeFromShape(shape), i + 1), shape, "float32"));
    return [compute(...inputs), ...tf.grads((...args) => tf.sum(tf.sin(compute(...args))))(inputs)];
  });
  const values = await Promise.all(tensors.map((tensor) => tensor.data<"float32">()));
  tf.dispose(tensors);
  return values;
}

function assertSameTraining(actual: Trained, expected: Trained): void {
  assertClose(actual.losses, expected.losses, LOSS_TOLERANCE, "losses");
  expected.weights.forEach((weight, i) => {
    const moved = distance(weight, expected.first[i]);
    const apart = distance(weight, actual.weights[i]);
    assert.ok(apart <= MOVEMENT_TOLERANCE * moved, `weight ${i} is ${apart} off after it moved by ${moved}`);
  });
}

/** Euclidean distance. */
function distance(a: Float32Array, b: Float32Array): number {
  return Math.hypot(...a.map((value, i) => value - b[i]));
}
