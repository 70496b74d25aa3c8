import { messageOf, TriptychError } from "../../shared/errors.ts";
import type { ModelFiles } from "../../shared/model_files.ts";
import type { Embedder } from "./embedder.ts";
import { type Look, openLook } from "./look.ts";
import { createPlanEmbedder } from "./plan.ts";
import { release } from "./release.ts";
import { selfTest } from "./self_test.ts";

/** An embedder that has proved itself on the card's goldens. */
export interface OpenEmbedder {
  embedder: Embedder;
  /** What it is shown of an image. */
  look: Look;
  /** Which one it is, for a person. */
  name: string;
  /** Why it isn't the plan, in a sentence. */
  fallback: string | undefined;
  /** When it was made and its proof began, `performance.now()`. */
  loaded: number;
}

/**
 * The fastest embedder that reproduces the goldens of a model: the plan, or else tfjs. It takes the weights away: they lie in its own memory
 * then, and would take as much again.
 *
 * @param createTfjs is called only if it is needed, for tfjs takes longer to load than a plan to run
 * @throws {ModelError} if neither computes what the card says
 */
export async function openEmbedder(
  files: ModelFiles,
  createTfjs: (files: ModelFiles) => Promise<Embedder>,
): Promise<OpenEmbedder> {
  const look = await openLook(files);
  let fallback: string;
  try {
    const { build, ...embedder } = await createPlanEmbedder(files);
    const open = { ...await proved(embedder, files), look, name: `plan, ${build}`, fallback: undefined };
    release(files.weights);
    return open;
  } catch (error) {
    if (!(error instanceof TriptychError)) throw error;
    fallback = `The model runs on tfjs. ${messageOf(error)}`;
  }
  return { ...await proved(await createTfjs(files), files), look, name: "tfjs, WebAssembly SIMD", fallback };
}

async function proved(embedder: Embedder, { card }: ModelFiles) {
  const loaded = performance.now();
  await selfTest(embedder, card);
  return { embedder, loaded };
}
