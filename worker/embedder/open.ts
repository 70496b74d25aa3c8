import { messageOf, TriptychError } from "../../shared/errors.ts";
import type { ModelFiles } from "../../shared/model_files.ts";
import type { Embedder } from "./embedder.ts";
import { type Look, openLook } from "./look.ts";
import { createInt8Embedder, createPlanEmbedder } from "./plan.ts";
import { release } from "./release.ts";
import { type Arithmetic, selfTest } from "./self_test.ts";

/** An embedder that has proved itself on the card's goldens. */
export interface OpenEmbedder {
  embedder: Embedder;
  /** What it is shown of an image. */
  look: Look;
  /** Which one it is, for a person. */
  name: string;
  /** Why it isn't a faster one, in a sentence. */
  fallback: string | undefined;
  /** When it was made and its proof began, `performance.now()`. */
  loaded: number;
}

/**
 * The fastest embedder that reproduces the goldens of a model: the plan, in int8 where the model was exported so, or in float32, or
 * else tfjs. It takes the weights away: they lie in its own memory then, and would take as much again.
 *
 * @param createTfjs is called only if it is needed, for tfjs takes longer to load than a plan to run
 * @throws {ModelError} if none computes what the card says
 */
export async function openEmbedder(
  files: ModelFiles,
  createTfjs: (files: ModelFiles) => Promise<Embedder>,
): Promise<OpenEmbedder> {
  const look = await openLook(files);
  const reasons: string[] = [];
  const plans = files.card.quantization.activations === undefined ? PLANS.slice(1) : PLANS;
  for (const { arithmetic, create, name, instead } of plans) {
    try {
      const { build, ...embedder } = await create(files);
      const fallback = reasons.length === 0 ? undefined : reasons.join(" ");
      const open = { ...await proved(embedder, files, arithmetic), look, name: `${name}, ${build}`, fallback };
      release(files.weights);
      return open;
    } catch (error) {
      if (!(error instanceof TriptychError)) throw error;
      reasons.push(`${instead} ${messageOf(error)}`);
    }
  }
  const tfjs = await proved(await createTfjs(files), files, "float32");
  return { ...tfjs, look, name: "tfjs, WebAssembly SIMD", fallback: reasons.join(" ") };
}

/** From the fastest on, with what is done where one cannot be. */
const PLANS = [
  {
    arithmetic: "int8",
    create: createInt8Embedder,
    name: "int8 plan",
    instead: "The model does not run in int8.",
  },
  {
    arithmetic: "float32",
    create: createPlanEmbedder,
    name: "plan",
    instead: "The model runs on tfjs.",
  },
] as const;

async function proved(embedder: Embedder, { card }: ModelFiles, arithmetic: Arithmetic) {
  const loaded = performance.now();
  await selfTest(embedder, card, arithmetic);
  return { embedder, loaded };
}
