import * as tf from "@tensorflow/tfjs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import util from "node:util";
import { messageOf } from "../../../shared/errors.ts";
import { EngineMissing } from "../engine.ts";
import { LIBRARIES } from "./find_tensorflow.ts";
import { registerExplicitPadding } from "./explicit_padding.ts";

/** Where `deno task engine` puts what it makes. */
export const FOLDER = ".triptych/engine";
/** Where tfjs-node has its addon, in its own folder. */
export const ADDON = "lib/napi-v8/tfjs_binding.node";
/** Under which name the trainer hands its tfjs over. */
const SHARED_TFJS = "triptych.tfjs";
/** A package `@tensorflow/tfjs` that is the tfjs of whoever loads it. */
export const SHIM = `module.exports = globalThis[Symbol.for("${SHARED_TFJS}")];\n`;
/** The backend's name in tfjs. */
export const BACKEND = "tensorflow";

const RECORD = "build.json";

/** What the addon was built against. */
export interface Build {
  /** The folder of TensorFlow's libraries. */
  tensorflow: string;
  /** Whether that TensorFlow can compute on NVIDIA GPUs. */
  cuda: boolean;
}

/** The addon, loaded into this process and registered with tfjs. */
export interface Addon {
  /** TensorFlow's version. */
  version: string;
  /** Whether it computes on a GPU. */
  gpu: boolean;
}

/** What we use of the addon itself. */
interface Binding {
  TF_Version: string;
  isUsingGpuDevice(): boolean;
}

let loaded: Addon | undefined;

/** Records that the engine is complete. */
export async function writeBuild(folder: string, build: Build): Promise<void> {
  await Deno.writeTextFile(join(folder, RECORD), JSON.stringify(build, null, 2) + "\n");
}

/**
 * What the engine in a folder was built against.
 *
 * @throws {EngineMissing} if there is none
 */
export async function readBuild(folder: string = FOLDER): Promise<Build> {
  try {
    return JSON.parse(await Deno.readTextFile(join(folder, RECORD)));
  } catch {
    throw new EngineMissing(`The engine is not made yet: run deno task engine, which makes it in ${folder}.`);
  }
}

/**
 * Loads the addon and registers it with tfjs as the backend {@link BACKEND}, once for a process: what it computes on then
 * stays.
 *
 * @param gpu whether it may compute on a GPU
 * @throws {EngineMissing} if there is none, it may not be loaded, or does not load
 */
export async function loadAddon(gpu: boolean, folder: string = FOLDER): Promise<Addon> {
  if (loaded) return loaded;
  const build = await readBuild(folder);
  assertMayLoad();
  setEnvironment(gpu);
  restoreUtil();
  Object.assign(globalThis, { [Symbol.for(SHARED_TFJS)]: tf });
  const root = resolve(folder, "node_modules/@tensorflow/tfjs-node");
  const require = createRequire(join(root, "package.json"));
  let binding: Binding;
  try {
    binding = require(join(root, ADDON));
  } catch (error) {
    throw new EngineMissing(
      `The engine in ${folder}, made for the TensorFlow in ${build.tensorflow}, does not load (${
        messageOf(error).split("\n")[0]
      }): run deno task engine again.`,
    );
  }
  require("./dist/register_all_kernels.js");
  const { NodeJSKernelBackend } = require("./dist/nodejs_kernel_backend.js");
  tf.registerBackend(BACKEND, () => new NodeJSKernelBackend(binding, "@tensorflow/tfjs-node"));
  registerExplicitPadding(BACKEND);
  return loaded = { version: binding.TF_Version, gpu: binding.isUsingGpuDevice() };
}

/**
 * Loads TensorFlow's library into this process, where the engine is made and may be loaded. Mesa's software driver of WebGPU and TensorFlow
 * each bring an LLVM, and TensorFlow's crashes unless it is there first.
 */
export async function loadTensorFlowFirst(folder: string = FOLDER): Promise<void> {
  try {
    const { tensorflow } = await readBuild(folder);
    assertMayLoad();
    quieten();
    for (const library of LIBRARIES.toReversed()) Deno.dlopen(join(tensorflow, library), {});
  } catch {
    // Who asks for the engine is told why it does not load.
  }
}

/** Asks first: Deno would stop and ask the person at the terminal. */
export function assertMayLoad(): void {
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") {
    throw new EngineMissing(
      "The engine is native code, which this program may not load: start it with deno task, or with --allow-ffi.",
    );
  }
}

/** TensorFlow reads these once, when it is loaded. */
function setEnvironment(gpu: boolean): void {
  if (!gpu) Deno.env.set("CUDA_VISIBLE_DEVICES", "-1");
  quieten();
  setDefault("TF_FORCE_GPU_ALLOW_GROWTH", "true");
}

function quieten(): void {
  setDefault("TF_CPP_MIN_LOG_LEVEL", "2");
}

function setDefault(name: string, value: string): void {
  if (Deno.env.get(name) === undefined) Deno.env.set(name, value);
}

/** tfjs-node calls two functions of node:util that Node 23 and Deno no longer have. */
function restoreUtil(): void {
  const missing = {
    isNullOrUndefined: (value: unknown) => value === null || value === undefined,
    isArray: Array.isArray,
  };
  for (const [name, value] of Object.entries(missing)) {
    if (!(name in util)) Object.assign(util, { [name]: value });
  }
}
