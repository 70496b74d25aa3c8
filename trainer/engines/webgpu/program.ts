import type * as tf from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { type Info, reshaped } from "../tensor_info.ts";

export { type Info, reshaped } from "../tensor_info.ts";

/** A shader and how it is dispatched; tfjs declares its buffers and uniforms, and the body of `main` is ours. */
export interface Shader {
  /** Different for shaders with different code. */
  key: string;
  /** Names of the input buffers, each an `array<f32>`, in the order of the inputs. */
  inputs: string[];
  /** Two axes. */
  outputShape: [number, number];
  workgroupSize: [number, number, number];
  workgroups: [number, number, number];
  /** `i32` uniforms by name. */
  uniforms: Record<string, number>;
  /** `f32` uniforms by name; default none. */
  floats?: Record<string, number>;
  /** WGSL at module scope, before `main`: workgroup memory, functions. */
  declarations: string;
  /** WGSL of `main`, which sees `localId`, `workgroupId`, `uniforms`, the inputs and `result`. */
  main: string;
}

/** Describes a kernel of the WebGPU backend. */
export function webgpuKernel<Inputs, Attrs>(
  kernelName: string,
  compute: (call: { inputs: Inputs; attrs: Attrs; backend: WebGPUBackend }) => Info | Info[],
): tf.KernelConfig {
  return { kernelName, backendName: "webgpu", kernelFunc: compute as unknown as tf.KernelFunc };
}

/** The most workgroups along an axis that every device has. */
const MOST_WORKGROUPS = 65535;

/**
 * Queues a shader on the device.
 *
 * @param output float32, to write into; default new
 * @returns the output
 */
export function runShader(backend: WebGPUBackend, shader: Shader, inputs: Info[], output?: Info): Info {
  const { uniforms, floats = {} } = shader;
  const declare = (names: string[], type: string) => names.map((name) => `${name} : ${type},`).join(" ");
  const program = {
    variableNames: shader.inputs,
    outputShape: shader.outputShape,
    uniforms: declare(Object.keys(uniforms), "i32") + declare(Object.keys(floats), "f32"),
    shaderKey: shader.key,
    workgroupSize: shader.workgroupSize,
    dispatch: shader.workgroups,
    // With an axis of its own for y, tfjs gives `main` no flat index: it finds its place by its workgroup.
    dispatchLayout: { x: [1], y: [0] },
    getUserCode: () => `${shader.declarations}\nfn main() {\n${shader.main}\n}`,
  };
  const values = [
    ...Object.values(uniforms).map((value) => ({ type: "int32", data: [value] })),
    ...Object.values(floats).map((value) => ({ type: "float32", data: [value] })),
  ];
  return backend.runWebGPUProgram(program, inputs, "float32", values, output);
}

/** A shader that computes every element of its output by itself. */
export interface Elementwise {
  /** Different for different expressions. */
  key: string;
  /** Names of the input buffers. */
  inputs: string[];
  shape: number[];
  /** WGSL of one element, which sees its `index` and, beside the inputs and uniforms, `channel = index % channels`. */
  expression: string;
  /** Length of the last axis; default 1. */
  channels?: number;
  uniforms?: Record<string, number>;
  floats?: Record<string, number>;
  /** WGSL at module scope; default none. */
  declarations?: string;
}

/** Queues an elementwise shader; its result is a new float32 tensor. */
export function runElementwise(backend: WebGPUBackend, shader: Elementwise, inputs: Info[]): Info {
  const { key, shape, expression, channels = 1, uniforms = {}, floats = {} } = shader;
  const elements = shape.reduce((product, length) => product * length, 1);
  const groups = Math.ceil(elements / 256);
  const across = Math.min(groups, MOST_WORKGROUPS);
  const result = runShader(backend, {
    key,
    inputs: shader.inputs,
    outputShape: [1, elements],
    workgroupSize: [256, 1, 1],
    workgroups: [across, Math.ceil(groups / across), 1],
    uniforms: { elements, channels, ...uniforms },
    floats,
    declarations: shader.declarations ?? "",
    main: `
  let index = i32((workgroupId.y * numWorkgroups.x + workgroupId.x) * 256u + localIndex);
  if (index >= uniforms.elements) { return; }
  let channel = index % uniforms.channels;
  result[index] = ${expression};`,
  }, inputs);
  return reshaped(result, shape);
}
