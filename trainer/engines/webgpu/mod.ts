import * as tf from "@tensorflow/tfjs";
import { type Engine, EngineMissing } from "../engine.ts";
import { wasmEngine } from "../wasm/mod.ts";
import { nameOf, requestAdapter, requestDevice } from "./device.ts";

/** An engine that runs on a GPU, or on what passes for one. */
export interface GpuEngine extends Engine {
  /** Whether this machine has a GPU for it, and not a software driver alone, which is slower than `wasm`. */
  isHardware(): Promise<boolean>;
}

/**
 * Deno's own WebGPU: GPUs of NVIDIA, AMD, Intel and Apple, with no more installed than their graphics driver.
 *
 * It can be read with `await data()` alone. What has to be read at once, the losses, runs on the wasm engine beside it
 * (see `host.ts`). An error of the device ends the run at the next operation or read (see `fault.ts`).
 */
export const webgpuEngine: GpuEngine = {
  name: "webgpu",
  summary: "a GPU of any maker, through Deno's WebGPU",
  async start() {
    const adapter = await requestAdapter();
    if (adapter === null) {
      throw new EngineMissing(
        "This machine offers no WebGPU adapter; install your GPU's Vulkan driver (Debian: libvulkan1 and nvidia-vulkan-icd " +
          "or mesa-vulkan-drivers), or take --engine wasm.",
      );
    }
    await wasmEngine.start();
    if (!("webgpu" in tf.engine().registry)) {
      // Imported here alone: the package makes itself the backend that tfjs prefers.
      const { startBackend } = await import("./backend.ts");
      await startBackend(await requestDevice(adapter), adapter.info);
    }
    await tf.setBackend("webgpu");
    return nameOf(adapter.info);
  },
  async isHardware() {
    const adapter = await requestAdapter();
    return adapter !== null && !adapter.info.isFallbackAdapter;
  },
};
