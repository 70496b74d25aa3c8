import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { ModelError } from "../../../../shared/errors.ts";
import { loadFaceNetworks } from "../../../../shared/face_networks.ts";
import { readModelFiles } from "../../../../shared/model_files.ts";
import { useWasmBackend } from "../../../../shared/tfjs_wasm.ts";
import { blazeFace } from "../../../../trainer/models/faces/blaze_face.ts";
import { loadBlazeFace } from "../../../../trainer/models/weights/blaze_face.ts";
import { assertComputesTheSame, noise, operationsOf, randomizeWeights } from "../export/exported.ts";
import { pattern } from "../../../fixtures/faces/pattern.ts";

await useWasmBackend();

Deno.test("the bundled detector gives what the graph that it was read from gives, within half precision", async () => {
  const { face } = await readModelFiles("samples/face-model");
  const { detector } = await loadFaceNetworks(face!);
  const [output] = await detector(pattern(256), 256, 256);
  const fixture = JSON.parse(await Deno.readTextFile("test/fixtures/faces/blaze_face.json"));
  assert.equal(output.length, 896 * 17);
  for (const { row, values } of fixture.rows) {
    values.forEach((expected: number, i: number) => {
      assert.ok(
        Math.abs(output[17 * row + i] - expected) <= 0.02 + 2e-3 * Math.abs(expected),
        `row ${row}, number ${i}`,
      );
    });
  }
});

Deno.test("the graph of BlazeFace computes what its layers compute, with these operations", async () => {
  const model = randomizeWeights(blazeFace());
  assert.deepEqual([...new Set(await operationsOf(model))].sort(), [
    ...["AddV2", "ConcatV2", "DepthwiseConv2dNative", "MaxPool", "PadV2", "Relu", "Reshape", "_FusedConv2D"],
  ]);
  await assertComputesTheSame(model, noise([1, 256, 256, 3]));
});

Deno.test("loadBlazeFace() refuses the weights of another network", () => {
  const weights = [{ name: "unknown", shape: [2], dtype: "float32" }];
  const modelJson = new TextEncoder().encode(JSON.stringify({ weightsManifest: [{ paths: [], weights }] }));
  const before = tf.memory().numTensors;
  const model = blazeFace();
  assert.throws(() => loadBlazeFace(model, { modelJson, data: new Uint8Array(8) }), ModelError);
  model.dispose();
  assert.equal(tf.memory().numTensors, before);
});
