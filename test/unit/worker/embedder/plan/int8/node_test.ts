import type * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { gridsOf, planOf, readLayers } from "../../../../../../shared/int8/mod.ts";
import { createEmbedder } from "../../../../../../trainer/models/embedder.ts";
import { loadInt8 } from "../../../../../../worker/embedder/plan/int8/plan.ts";
import { noise, randomizeWeights } from "../../../../trainer/export/exported.ts";
import { quickInt8Of } from "./support.ts";

const SIZE = 33;
const PROGRAM = new URL("run_steps.mjs", import.meta.url).pathname;
const KERNELS = new URL("../../../../../../shared/kernels/inference.wasm", import.meta.url).pathname;

Deno.test("the int8 kernels in plain SIMD leave the same memory on Node as on Deno, to the bit", async () => {
  const input = { height: SIZE, width: SIZE, channels: 3 } as const;
  const model = randomizeWeights(createEmbedder({ backbone: "mobilefacenet", input, dimensions: 20, seed: 1 }), 3);
  const { files, activations } = await quickInt8Of(model, noise([1, SIZE, SIZE, 3]) as tf.Tensor4D);
  model.dispose();
  const { binding, memory, kernels } = await loadInt8(planOf(readLayers(files), gridsOf(activations)), "SIMD");
  const image = new Float32Array(memory.buffer, binding.at(0), SIZE ** 2 * 3);
  image.forEach((_, i) => image[i] = Math.sin(i));
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeFile(`${folder}/memory`, new Uint8Array(memory.buffer));
    const steps = binding.steps.flat();
    const json = JSON.stringify(steps, (_, value) => Math.abs(value) === Infinity ? String(value) : value);
    await Deno.writeTextFile(`${folder}/steps.json`, json);
    const args = [PROGRAM, KERNELS, `${folder}/memory`, `${folder}/steps.json`];
    const { code, stderr } = await new Deno.Command("node", { args }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    const before = new Uint8Array(memory.buffer.slice(0));
    for (const { kernel, args } of steps) kernels[kernel](...args);
    const after = new Uint8Array(memory.buffer), onNode = await Deno.readFile(`${folder}/memory`);
    const differing = (bytes: Uint8Array) => after.findIndex((byte, i) => byte !== bytes[i]);
    assert.notEqual(differing(before), -1);
    assert.equal(differing(onNode), -1);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
