import { join, resolve } from "node:path";
import { EngineMissing } from "../engine.ts";
import { ADDON, type Build, FOLDER, SHIM, writeBuild } from "./addon.ts";
import { compile, findCompiler } from "./compiler.ts";
import { findTensorFlow, INSTALL_CUDA, LIBRARIES, type TensorFlow } from "./find_tensorflow.ts";
import { findGpu } from "./gpu.ts";
import { GOOGLE_PROTOBUF, installPackage, NODE_API_HEADERS, TFJS_NODE } from "./packages.ts";

/** What to build, and where. */
export interface BuildOptions {
  /** Whether it is to compute on a GPU. */
  gpu: boolean;
  /** Where TensorFlow is; without it, python3 is asked. */
  tensorflow?: string | undefined;
  /** Where the engine goes, {@link FOLDER} unless given. */
  folder?: string;
  /** Told what is being done, a line each. */
  report?: (line: string) => void;
}

/**
 * Makes tfjs-node's addon on this machine, against the TensorFlow that is installed.
 *
 * @throws {EngineMissing} if something that it takes is missing, with how to install it
 */
export async function buildAddon(
  { gpu, tensorflow, folder = FOLDER, report = () => {} }: BuildOptions,
): Promise<Build> {
  if (Deno.build.os !== "linux") {
    throw new EngineMissing(`This engine is made on Linux, not on ${Deno.build.os}: take --engine webgpu or wasm.`);
  }
  const compiler = await findCompiler();
  if (gpu) report(`GPU: ${findGpu()}.`);
  const found = await findTensorFlow(tensorflow);
  report(`TensorFlow: ${found.libraries}, ${found.cuda ? "for NVIDIA GPUs" : "for CPUs"}.`);
  if (gpu && !found.cuda) {
    throw new EngineMissing(`The TensorFlow in ${found.libraries} is for CPUs alone: ${INSTALL_CUDA}.`);
  }
  const modules = resolve(folder, "node_modules");
  for (const wanted of [TFJS_NODE, NODE_API_HEADERS, GOOGLE_PROTOBUF]) await installPackage(modules, wanted);
  await writeShim(modules);
  report(`Compiling ${TFJS_NODE.name} ${TFJS_NODE.version} with ${compiler}.`);
  await compileAddon(compiler, modules, found);
  const build = { tensorflow: found.libraries, cuda: found.cuda };
  await writeBuild(folder, build);
  return build;
}

async function compileAddon(compiler: string, modules: string, found: TensorFlow): Promise<void> {
  const source = join(modules, TFJS_NODE.name, "binding");
  const output = join(modules, TFJS_NODE.name, ADDON);
  await Deno.mkdir(join(output, ".."), { recursive: true });
  await compile(compiler, {
    sources: ["tfjs_backend.cc", "tfjs_binding.cc"].map((file) => join(source, file)),
    include: [join(modules, NODE_API_HEADERS.name, "include"), found.include],
    define: ["NAPI_VERSION=8", "BUILDING_NODE_EXTENSION"],
    libraryFolder: found.libraries,
    libraries: LIBRARIES,
    output: `${output}.new`,
  });
  await Deno.rename(`${output}.new`, output);
}

/** tfjs-node is to use the tfjs that the trainer runs, not another copy of it. */
async function writeShim(modules: string): Promise<void> {
  const folder = join(modules, "@tensorflow/tfjs");
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(join(folder, "index.js"), SHIM);
}
