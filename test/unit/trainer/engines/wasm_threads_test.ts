import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { createWasmEngine } from "../../../../trainer/engines/wasm/mod.ts";
import { batchNorm } from "../../../../trainer/models/batch_norm.ts";
import { createOptimizer, trainableVariables } from "../../../../trainer/optimizers/mod.ts";
import { normal } from "./gradients.ts";

/** Weights after ten training steps of a small network, on a backend started anew with so many threads. */
async function train(threads: number): Promise<{ device: string; weights: Float32Array[] }> {
  tf.removeBackend("wasm");
  tf.registerBackend("wasm", wasmFactory, 2);
  const device = await createWasmEngine(threads).start();
  const model = tf.sequential({
    layers: [
      tf.layers.conv2d({ inputShape: [12, 12, 3], filters: 10, kernelSize: 3, strides: 2, padding: "same" }),
      batchNorm(),
      tf.layers.activation({ activation: "relu" }),
      tf.layers.conv2d({ filters: 7, kernelSize: 3, padding: "same" }),
      batchNorm(),
      tf.layers.globalAveragePooling2d({}),
      tf.layers.dense({ units: 4 }),
    ],
  });
  model.setWeights(model.weights.map(({ shape }, i) => {
    const size = (shape as number[]).reduce((product, length) => product * length, 1);
    return tf.tensor(normal(size, i).map((value) => 0.3 * Math.abs(value) + 0.1), shape as number[]);
  }));
  const variables = trainableVariables(model);
  const adam = createOptimizer(variables, { optimizer: "adam", weightDecay: 0, momentum: 0 });
  adam.setLearningRate(0.01);
  for (let step = 0; step < 10; step++) {
    const x = tf.tensor4d(normal(6 * 12 * 12 * 3, 100 + step), [6, 12, 12, 3]);
    adam.minimize(() => tf.mean(tf.square(tf.sub(model.apply(x, { training: true }) as tf.Tensor, 1))));
    x.dispose();
  }
  const weights = await Promise.all(variables.map((variable) => variable.data<"float32">()));
  tf.disposeVariables();
  return { device, weights };
}
const wasmFactory = tf.findBackendFactory("wasm");

Deno.test("wasm: a run gives the same bits again, on one thread and on two", async () => {
  const one = await train(1);
  const two = await train(2);
  assert.match(one.device, /1 thread$/);
  assert.match(two.device, /2 threads$/);
  assert.deepEqual(two.weights, one.weights);
  assert.deepEqual((await train(2)).weights, one.weights);
});

Deno.test("wasm: a process has the threads that were asked for from the start, and ends by itself", async () => {
  const engine = new URL("../../../../trainer/engines/wasm/mod.ts", import.meta.url);
  const program = `
    import * as tf from "@tensorflow/tfjs";
    import { createWasmEngine } from ${JSON.stringify(engine.href)};
    console.log(await createWasmEngine(2).start());
    console.log(tf.sum(tf.conv2d(tf.ones([4, 16, 16, 8]), tf.ones([3, 3, 8, 8]), 1, "valid")).dataSync()[0]);`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", program],
    cwd: new URL("../../../../", import.meta.url),
    signal: AbortSignal.timeout(15_000),
  });
  const { code, stdout } = await child.output();
  assert.equal(code, 0);
  assert.equal(new TextDecoder().decode(stdout), `WebAssembly SIMD, 2 threads\n${4 * 14 * 14 * 8 * 72}\n`);
});
