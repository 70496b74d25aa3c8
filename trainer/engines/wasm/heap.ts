import * as tf from "@tensorflow/tfjs";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { type Info, reshaped } from "../tensor_info.ts";

export { type Info, reshaped } from "../tensor_info.ts";

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

/** Frees an intermediate tensor that this kernel made. */
export function free(backend: BackendWasm, tensor: Info): void {
  backend.disposeData(tensor.dataId);
}

/** Runs another kernel of the backend inside a kernel. The caller frees the result. */
export function run(backend: BackendWasm, kernelName: string, inputs: Record<string, Info>, attrs: object): Info {
  const kernel = tf.getKernel(kernelName, "wasm");
  if (kernel === undefined) throw new Error(`the WASM backend has no kernel ${kernelName}`);
  return kernel.kernelFunc({ inputs, attrs: attrs as tf.NamedAttrMap, backend }) as Info;
}

/** Permutes the axes. */
export function transpose(backend: BackendWasm, x: Info, perm: number[]): Info {
  return run(backend, "Transpose", { x }, { perm });
}

/** `a [rows, inner]` times `b [inner, columns]`. */
export function matMul(backend: BackendWasm, a: Info, b: Info): Info {
  const [rows, inner] = a.shape;
  const columns = b.shape[1];
  const inputs = { a: reshaped(a, [1, rows, inner]), b: reshaped(b, [1, inner, columns]) };
  const product = run(backend, "BatchMatMul", inputs, { transposeA: false, transposeB: false });
  return reshaped(product, [rows, columns]);
}
