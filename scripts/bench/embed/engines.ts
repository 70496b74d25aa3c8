import { readFile } from "../../../shared/read_file.ts";
import type { KernelBuild } from "../../../worker/embedder/plan/kernels.ts";
import { benchImage, readNetwork } from "./network_files.ts";

/** A network that is ready to embed the same image again and again. */
export type Embed = () => Promise<ArrayLike<number>>;

/** The folder in a network's folder in which it lies in int8. */
export const INT8 = "int8";
// Where Deno reads the name of a module in the code, it looks for all that module imports, whatever the engine is.
const TFJS: string = "./tfjs.ts";
const ORT_WEB = "npm:onnxruntime-web@1.30.0/wasm", ON_WASM = { executionProviders: ["wasm"] };

/** Loads the network in a folder. Each imports what it needs and nothing else: that is a part of what is measured. */
export const ENGINES: Readonly<Record<string, (folder: string) => Promise<Embed>>> = {
  "plan": (folder) => plan(folder, "relaxed SIMD"),
  "plan-plain": (folder) => plan(folder, "SIMD"),
  "plan-int8": (folder) => int8Plan(folder, "relaxed SIMD"),
  "plan-int8-plain": (folder) => int8Plan(folder, "SIMD"),
  "tfjs": async (folder) => await (await import(TFJS) as typeof import("./tfjs.ts")).loadTfjs(folder),
  "ort-web": (folder) => onnxRuntime(ORT_WEB, folder, ON_WASM),
  "ort-web-int8": (folder) => onnxRuntime(ORT_WEB, `${folder}/${INT8}`, ON_WASM),
  "ort-node": (folder) =>
    onnxRuntime("npm:onnxruntime-node@1.30.0", folder, { intraOpNumThreads: 1, interOpNumThreads: 1 }),
};

/** Whether an engine computes in int8. */
export function isInt8(engine: string): boolean {
  return engine.includes("int8");
}

async function int8Plan(folder: string, build: KernelBuild): Promise<Embed> {
  const { compileInt8Plan } = await import("../../../worker/embedder/plan/int8/plan.ts");
  const { release } = await import("../../../worker/embedder/release.ts");
  const { input, activations, ...files } = await readNetwork(`${folder}/${INT8}`);
  const plan = await compileInt8Plan(files, activations!, build);
  release(files.weights);
  const image = benchImage(input);
  return () => Promise.resolve(plan.run(image));
}

async function plan(folder: string, build: KernelBuild): Promise<Embed> {
  const { compilePlan } = await import("../../../worker/embedder/plan/plan.ts");
  const { release } = await import("../../../worker/embedder/release.ts");
  const { input, ...files } = await readNetwork(folder);
  const plan = await compilePlan(files, input, build);
  release(files.weights);
  const image = benchImage(input);
  return () => Promise.resolve(plan.run(image));
}

/** As much of ONNX Runtime's interface as is used here. */
interface OnnxRuntime {
  env: { wasm: { numThreads?: number } };
  Tensor: new (type: "float32", data: Float32Array, shape: number[]) => unknown;
  InferenceSession: {
    create(model: Uint8Array, options: Record<string, unknown>): Promise<{
      run(inputs: Record<string, unknown>): Promise<Record<string, { data: Float32Array }>>;
    }>;
  };
}

async function onnxRuntime(specifier: string, folder: string, options: Record<string, unknown>): Promise<Embed> {
  const { Tensor, InferenceSession, env }: OnnxRuntime = await import(specifier);
  env.wasm.numThreads = 1;
  const { input: { height, width, channels } } = await readNetwork(folder);
  const session = await InferenceSession.create(await readFile(`${folder}/model.onnx`), options);
  const image = benchImage({ height, width, channels }), pixels = height * width;
  const planes = Float32Array.from(image, (_, i) => image[i % pixels * channels + Math.floor(i / pixels)]);
  return async () => {
    const outputs = await session.run({ value0: new Tensor("float32", planes, [1, channels, height, width]) });
    return outputs.embedding.data;
  };
}
