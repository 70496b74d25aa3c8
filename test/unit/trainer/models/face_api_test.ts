import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { loadFaceApiPackage } from "../../../../scripts/faces/face_api.ts";
import { faceApiWeights, importedNetworks } from "../../../../scripts/faces/imported_networks.ts";
import { ModelError } from "../../../../shared/errors.ts";
import { decode, resize } from "../../../../shared/image/mod.ts";
import { packageFile } from "../../../../shared/package_file.ts";
import { useWasmBackend } from "../../../../shared/tfjs_wasm.ts";
import { PIXEL_SCALES } from "../../../../trainer/models/pixel_scales.ts";
import { tinyFaceDetector } from "../../../../trainer/models/faces/tiny_face_detector.ts";
import { loadFaceApi } from "../../../../trainer/models/weights/face_api.ts";

await useWasmBackend();
const faceApi = await loadFaceApiPackage();
const ours = await importedNetworks();
/** A portrait, `[size, size, 3]` of 8 bits. */
const photo = await decode(await Deno.readFile(packageFile("@vladmandic/face-api/demo/sample1.jpg")));
const portrait = async (size: number) => {
  const side = Math.min(photo.width, photo.height);
  const pixels = await resize(photo, { x: (photo.width - side) / 2, y: 0, width: side, height: side }, size, size);
  return tf.tensor3d(Float32Array.from(pixels), [size, size, 3]);
};

/** As our networks take pixels: less a mean, over 255. */
function scaled(pixels: tf.Tensor3D, mean: readonly number[]): tf.Tensor4D {
  return tf.sub(tf.div(pixels, 255), mean).expandDims(0);
}

async function assertNear(actual: tf.Tensor, expected: ArrayLike<number>, tolerance: number): Promise<void> {
  const values = await actual.data();
  assert.equal(values.length, expected.length);
  const worst = Math.max(...values.map((value, i) => Math.abs(value - expected[i])));
  assert.ok(worst <= tolerance, `off by ${worst}`);
}

Deno.test("face-resnet gives face-api's descriptor of the same crop, before it is normalised", async () => {
  const crop = await portrait(150);
  const raw = tf.model({ inputs: ours.embedder.inputs, outputs: ours.embedder.getLayer("head").output });
  const input = scaled(crop, PIXEL_SCALES.dlib.mean);
  await assertNear(
    raw.predict(input) as tf.Tensor,
    await faceApi.nets.faceRecognitionNet.computeFaceDescriptor(crop),
    1e-4,
  );
});

Deno.test("face-resnet has dlib's 29 convolutions and 5.6 million weights", () => {
  const convolutions = ours.embedder.layers.filter((layer) => layer.getClassName() === "Conv2D");
  assert.equal(convolutions.length, 29);
  assert.equal(Math.round(ours.embedder.countParams() / 1e5), 56);
});

Deno.test("TinyFaceDetector gives face-api's grid in any size", async () => {
  for (const size of [128, 160]) {
    const pixels = await portrait(size);
    const grid = await faceApi.nets.tinyFaceDetector.forward(pixels, size);
    const actual = ours.refiner.predict(scaled(pixels, [117.001 / 255, 114.697 / 255, 97.404 / 255])) as tf.Tensor;
    assert.deepEqual(actual.shape, [1, size / 32, size / 32, 25]);
    await assertNear(actual, await grid.data(), 1e-4);
  }
});

Deno.test("the landmark network gives face-api's points", async () => {
  const crop = await portrait(112);
  const points = await faceApi.nets.faceLandmark68Net.forward(crop);
  await assertNear(
    ours.landmarks.predict(scaled(crop, PIXEL_SCALES.dlib.mean)) as tf.Tensor,
    await points.data(),
    1e-4,
  );
});

Deno.test("loadFaceApi() refuses the weights of another network, and leaves the network as it was", async () => {
  const detector = tinyFaceDetector();
  const before = await detector.getWeights()[0].data();
  await assert.rejects(loadFaceApi(detector, await faceApiWeights("landmarks")), ModelError);
  assert.deepEqual(await detector.getWeights()[0].data(), before);
});
