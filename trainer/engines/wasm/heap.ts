import type * as tf from "@tensorflow/tfjs";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import type { Info } from "../tensor_info.ts";
import type { Images } from "./native/grid.ts";
import type { Workspace } from "./native/workspace.ts";

export type { Info } from "../tensor_info.ts";

/** What tfjs hands to a kernel of the WASM backend. */
export interface Call<Inputs, Attrs> {
  inputs: Inputs;
  attrs: Attrs;
  backend: BackendWasm;
}

/**
 * Describes a kernel of the WASM backend.
 *
 * @param kernelName tfjs's name of the operation
 * @param compute returns new tensors; it never disposes its inputs
 */
export function wasmKernel<Inputs, Attrs>(
  kernelName: string,
  compute: (call: Call<Inputs, Attrs>) => Info | Info[],
): tf.KernelConfig {
  return { kernelName, backendName: "wasm", kernelFunc: compute as unknown as tf.KernelFunc };
}

/**
 * Describes a kernel that takes the place of one of the WASM backend's, which it may call.
 *
 * @param stock the backend's own
 */
export function instead<Inputs, Attrs>(
  stock: tf.KernelConfig,
  compute: (call: Call<Inputs, Attrs>) => Info,
): tf.KernelConfig {
  return { ...stock, kernelFunc: compute as unknown as tf.KernelFunc };
}

/**
 * The tensor's values in the backend's memory. Valid only until the next allocation, which may move that memory: make all
 * outputs first, then take the views.
 */
export function floats(backend: BackendWasm, tensor: Info): Float32Array {
  return backend.typedArrayFromHeap(tensor) as Float32Array;
}

/** As {@link floats}, of an `int32` tensor. */
export function ints(backend: BackendWasm, tensor: Info): Int32Array {
  return backend.typedArrayFromHeap(tensor) as Int32Array;
}

/** A new float32 tensor with undefined values. */
export function allocate(backend: BackendWasm, shape: number[]): Info {
  return backend.makeOutput(shape, "float32");
}

/** A tensor `[batch, height, width, channels]` as our kernels take it. */
export function imagesOf(work: Workspace, tensor: Info): Images {
  const [batch, height, width, channels] = tensor.shape;
  return { at: work.address(tensor), batch, height, width, channels };
}

/** How many elements a tensor has. */
export function sizeOf({ shape }: Info): number {
  return shape.reduce((product, length) => product * length, 1);
}
