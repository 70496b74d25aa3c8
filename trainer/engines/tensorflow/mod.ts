/**
 * TensorFlow itself, through tfjs-node's addon: on the CPU, and on NVIDIA GPUs.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { type Engine, EngineMissing } from "../engine.ts";
import { type Addon, assertMayLoad, BACKEND, loadAddon, readBuild } from "./addon.ts";
import { findGpu } from "./gpu.ts";
import { INSTALL_CUDA } from "./find_tensorflow.ts";

/** TensorFlow on the CPU. */
export const nodeEngine: Engine = {
  name: "node",
  summary: "TensorFlow on the CPU, made by deno task engine",
  async start() {
    const addon = await loadAddon(false);
    if (addon.gpu) throw new EngineMissing("TensorFlow computes on the GPU in this process: take the CPU in another.");
    await useBackend();
    const threads = navigator.hardwareConcurrency;
    return describe(addon, `CPU, ${threads} ${threads === 1 ? "thread" : "threads"}`);
  },
};

/** TensorFlow on an NVIDIA GPU. */
export const cudaEngine: Engine = {
  name: "cuda",
  summary: "TensorFlow on an NVIDIA GPU, made by deno task engine",
  async start() {
    const { cuda, tensorflow } = await readBuild();
    assertMayLoad();
    if (!cuda) {
      throw new EngineMissing(
        `The engine was made for the TensorFlow in ${tensorflow}, which is for CPUs alone: ${INSTALL_CUDA}, and run deno task engine cuda.`,
      );
    }
    const gpu = findGpu();
    const addon = await loadAddon(true);
    if (!addon.gpu) {
      throw new EngineMissing(
        `TensorFlow ${addon.version} does not use the ${gpu}: TF_CPP_MIN_LOG_LEVEL=0 deno task engine cuda shows why, most often that the driver is too old or CUDA's libraries are missing: ${INSTALL_CUDA}.`,
      );
    }
    await useBackend();
    return describe(addon, gpu);
  },
};

async function useBackend(): Promise<void> {
  await tf.setBackend(BACKEND);
  await tf.ready();
}

function describe({ version }: Addon, device: string): string {
  return `TensorFlow ${version} on ${device}`;
}
