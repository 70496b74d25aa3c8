import { ModelError } from "../../shared/errors.ts";
import { normalize } from "../../shared/image/mod.ts";
import type { ModelFiles } from "../../shared/model_files.ts";
import type { Embedder } from "./embedder.ts";
import type { KernelBuild } from "./plan/kernels.ts";
import { compileInt8Plan } from "./plan/int8/plan.ts";
import { compilePlan, type Plan } from "./plan/plan.ts";

/** A plan as an embedder. */
export interface PlanEmbedder extends Embedder {
  build: KernelBuild;
}

/**
 * The fast embedder: the model's graph as a plan of fused layers on our own kernels, in one memory, in float32.
 *
 * @param build of the kernels; default: the fastest that this runtime takes
 * @throws {UncoveredGraphError} if the graph has an operation that the plan lacks
 */
export async function createPlanEmbedder(files: ModelFiles, build?: KernelBuild): Promise<PlanEmbedder> {
  return embedderOf(await compilePlan(files, files.card.input, build), files);
}

/**
 * The same in int8, for a model that was exported so.
 *
 * @throws {ModelError} if it was not, or the graph has an operation that int8 inference lacks
 */
export async function createInt8Embedder(files: ModelFiles, build?: KernelBuild): Promise<PlanEmbedder> {
  const { activations } = files.card.quantization;
  if (activations === undefined) {
    throw new ModelError("The model has no ranges for int8; write it again with `deno task export --quantize int8`.");
  }
  return embedderOf(await compileInt8Plan(files, activations, build), files);
}

function embedderOf({ build, run }: Plan, { card: { input } }: ModelFiles): PlanEmbedder {
  return { build, embed: (pixels) => Promise.resolve(run(normalize(pixels, input))) };
}
