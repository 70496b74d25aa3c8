import type { ModelFiles } from "../../shared/model_files.ts";
import type { Embedder } from "./embedder.ts";

/**
 * The tfjs embedder, with tfjs itself loaded only now.
 *
 * @throws {ModelError} if tfjs cannot load the model
 */
export async function createTfjsLazily(files: ModelFiles): Promise<Embedder> {
  const { createTfjsEmbedder } = await import("./tfjs.ts");
  return await createTfjsEmbedder(files);
}
