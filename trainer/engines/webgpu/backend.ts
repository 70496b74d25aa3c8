import * as tf from "@tensorflow/tfjs";
import { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { DeviceFault, FaultWatch } from "./fault.ts";
import { registerTrainingKernels } from "./register.ts";

type Values = Awaited<ReturnType<WebGPUBackend["read"]>>;

/** Makes tfjs's backend `webgpu` anew, on a device of ours and with the kernels that training needs. */
export async function startBackend(device: GPUDevice, info: GPUAdapterInfo): Promise<void> {
  registerTrainingKernels();
  if (tf.findBackendFactory("webgpu")) tf.removeBackend("webgpu");
  tf.registerBackend("webgpu", () => new WatchedBackend(device, info), 0);
  await tf.setBackend("webgpu");
  await tf.ready();
}

/** tfjs's WebGPU backend, which would go on with zeros where its device fails, made to stop there. */
class WatchedBackend extends WebGPUBackend {
  readonly #watch: FaultWatch;

  constructor(device: GPUDevice, info: GPUAdapterInfo) {
    super(device, info);
    this.#watch = new FaultWatch(device);
  }

  /** @throws {DeviceFault} if the device failed before or while it computed these values */
  override async read(dataId: object): Promise<Values> {
    this.#watch.check();
    const values = await super.read(dataId).catch((error) => new DeviceFault(String(error)));
    await toldOfErrors();
    this.#watch.check();
    if (values instanceof DeviceFault) throw values;
    return values;
  }

  /** @throws {Error} if the values lie on the device, which can only be awaited */
  override readSync(dataId: object): Values {
    const { values } = this.tensorMap.get(dataId);
    if (values === null || values === undefined) {
      throw new Error("a tensor of the webgpu engine cannot be read at once; await data(), or compute it atHost()");
    }
    return values;
  }

  /** @throws {DeviceFault} if the device has failed, or binds no buffer as large as this tensor */
  override uploadToGPU(dataId: object): void {
    const { shape } = this.tensorMap.get(dataId);
    const bytes = 4 * tf.util.sizeFromShape(shape);
    const most = Math.min(this.device.limits.maxBufferSize, this.device.limits.maxStorageBufferBindingSize);
    if (bytes > most) {
      throw new DeviceFault(`a tensor [${shape}] takes ${megabytes(bytes)} where it holds ${megabytes(most)} in one`);
    }
    this.#watch.during(() => super.uploadToGPU(dataId));
  }

  /** @throws {DeviceFault} if the device has failed */
  override runWebGPUProgram(...program: Parameters<WebGPUBackend["runWebGPUProgram"]>): tf.TensorInfo {
    return this.#watch.during(() => super.runWebGPUProgram(...program));
  }
}

/** Deno tells of an error of the device in a task of its own, after the operation that met it. */
function toldOfErrors(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MB`;
}
