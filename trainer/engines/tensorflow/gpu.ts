import { EngineMissing } from "../engine.ts";

const DRIVER = "libcuda.so.1";
const NAME_BYTES = 256;

/**
 * Asks NVIDIA's driver for the first GPU.
 *
 * @returns its name, such as `NVIDIA H100 80GB HBM3`
 * @throws {EngineMissing} if there is no driver or no GPU
 */
export function findGpu(): string {
  const driver = openDriver();
  try {
    const { cuInit, cuDeviceGetCount, cuDeviceGet, cuDeviceGetName } = driver.symbols;
    const number = new Int32Array(1);
    const status = cuInit(0) || cuDeviceGetCount(number);
    if (status !== 0 || number[0] === 0) {
      throw new EngineMissing(
        `NVIDIA's driver finds no GPU (CUDA error ${status}): look at nvidia-smi and CUDA_VISIBLE_DEVICES, or take --engine webgpu, node or wasm.`,
      );
    }
    const name = new Uint8Array(NAME_BYTES);
    cuDeviceGet(number, 0);
    cuDeviceGetName(name, NAME_BYTES, number[0]);
    return new TextDecoder().decode(name).split("\0")[0];
  } finally {
    driver.close();
  }
}

function openDriver() {
  try {
    return Deno.dlopen(DRIVER, {
      cuInit: { parameters: ["u32"], result: "i32" },
      cuDeviceGetCount: { parameters: ["buffer"], result: "i32" },
      cuDeviceGet: { parameters: ["buffer", "i32"], result: "i32" },
      cuDeviceGetName: { parameters: ["buffer", "i32", "i32"], result: "i32" },
    });
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new EngineMissing(
      `There is no NVIDIA driver (${DRIVER}): install it on a machine that has an NVIDIA GPU, or take --engine webgpu, node or wasm.`,
    );
  }
}
