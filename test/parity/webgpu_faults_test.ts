import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { requestAdapter, requestDevice } from "../../trainer/engines/webgpu/device.ts";
import { DeviceFault } from "../../trainer/engines/webgpu/fault.ts";
import { webgpuEngine } from "../../trainer/engines/webgpu/mod.ts";
import { trainSixSteps } from "./six_steps.ts";

const adapter = await requestAdapter();
if (adapter === null) console.log("webgpu is not tested: this machine offers no WebGPU adapter.");

function webgpuTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: `webgpu: ${name}`, ignore: adapter === null, fn });
}

/** The engine on a device that is fresh, or whose end the test may bring about. */
async function freshDevice(): Promise<GPUDevice> {
  const { startBackend } = await import("../../trainer/engines/webgpu/backend.ts");
  const device = await requestDevice((await requestAdapter())!);
  await startBackend(device, adapter!.info);
  return device;
}

/** Something that runs on the device and not on the host, as tfjs's operations on a few numbers would. */
function computed(): tf.Tensor {
  return tf.add(tf.ones([100, 100]), 1);
}

function isFault(pattern: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof DeviceFault && pattern.test(error.fault) && /--resume/.test(error.message);
}

webgpuTest("start() names the device, and is of no use to auto where it is a software driver", async () => {
  assert.match(await webgpuEngine.start(), /WebGPU/);
  assert.equal(tf.getBackend(), "webgpu");
  assert.equal(await webgpuEngine.isHardware(), !adapter!.info.isFallbackAdapter);
});

webgpuTest("a result on the device can be awaited, and is refused to who would not wait", async () => {
  await freshDevice();
  const result = computed();
  assert.throws(() => result.dataSync(), /await data\(\)/);
  assert.deepEqual(await result.data(), new Float32Array(10_000).fill(2));
});

webgpuTest("a tensor larger than the device binds is refused with its size, where stock tfjs gives zeros", async () => {
  const device = await freshDevice();
  const rows = Math.floor(device.limits.maxStorageBufferBindingSize / 4096) + 1;
  assert.throws(() => tf.fill([rows, 1024], 1), isFault(new RegExp(`\\[${rows},1024\\] takes \\d+ MB`)));
});

webgpuTest("an error of the device ends the read that would have given zeros, and every operation after", async () => {
  const device = await freshDevice();
  const result = computed();
  device.createBuffer({ size: 2 * device.limits.maxBufferSize, usage: GPUBufferUsage.STORAGE });
  await assert.rejects(result.data(), isFault(/size/));
  assert.throws(() => computed(), isFault(/size/));
});

webgpuTest("a shader that does not compile ends the read of its result", async () => {
  const device = await freshDevice();
  device.createShaderModule({ code: "fn broken( {" });
  await assert.rejects(computed().data(), DeviceFault);
});

webgpuTest("a device that is lost ends reads and operations", async () => {
  const device = await freshDevice();
  const result = computed();
  device.destroy();
  await device.lost;
  await assert.rejects(result.data(), isFault(/lost/));
  assert.throws(() => computed(), isFault(/lost/));
});

webgpuTest("a device that is lost in training ends the run, and none of its numbers are believed", async () => {
  const device = await freshDevice();
  const run = trainSixSteps({ loss: "triplet-hard", optimizer: "adam", name: "" });
  setTimeout(() => device.destroy());
  await assert.rejects(run, DeviceFault);
});
