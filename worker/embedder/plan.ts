import { normalize } from "../../shared/image/mod.ts";
import type { ModelFiles } from "../../shared/model_files.ts";
import type { Embedder } from "./embedder.ts";
import type { KernelBuild } from "./plan/kernels.ts";
import { compilePlan } from "./plan/plan.ts";

/**
 * The fast embedder: the model's graph as a plan of fused layers on our own kernels, in one memory.
 *
 * @param build of the kernels; default: the fastest that this runtime takes
 * @throws {UncoveredGraphError} if the graph has an operation that the plan lacks
 */
export async function createPlanEmbedder(
  files: ModelFiles,
  build?: KernelBuild,
): Promise<Embedder & { build: KernelBuild }> {
  const { input } = files.card;
  const plan = await compilePlan(files, input, build);
  return { build: plan.build, embed: (pixels) => Promise.resolve(plan.run(normalize(pixels, input))) };
}
