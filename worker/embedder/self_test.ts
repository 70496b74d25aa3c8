import type { Card } from "../../shared/card.ts";
import { cosine } from "../../shared/distance.ts";
import { messageOf, ModelError } from "../../shared/errors.ts";
import { toInputPixels } from "../../shared/image/mod.ts";
import type { Embedder } from "./embedder.ts";

/** The cosine to its golden embedding below which a runtime is not the model that was evaluated. */
export const MIN_COSINE = 0.9999;

/** What a runtime computes in; of a model in int8 the embeddings differ. */
export type Arithmetic = "float32" | "int8";

/**
 * Proves that a runtime computes the embeddings of the card's goldens. It is the warm-up too: tfjs uploads and packs the
 * weights at its first prediction.
 *
 * @returns the lowest cosine
 * @throws {ModelError} if one is below `MIN_COSINE`
 */
export async function selfTest(
  embedder: Embedder,
  card: Pick<Card, "goldens" | "input" | "embedding">,
  arithmetic: Arithmetic = "float32",
): Promise<number> {
  let lowest = 1;
  for (const [i, golden] of card.goldens.entries()) {
    let actual: Float32Array;
    try {
      actual = await embedder.embed(await toInputPixels(bytesOf(golden.input), card.input));
    } catch (error) {
      throw new ModelError(
        `The model fails on golden input ${i} of its card: ${
          messageOf(error)
        }; write it again with \`deno task export\`.`,
      );
    }
    const expected = arithmetic === "int8" ? golden.embedding : golden.float32 ?? golden.embedding;
    const agreement = cosineOfSize(actual, expected, card.embedding.dimensions);
    if (!(agreement >= MIN_COSINE)) {
      throw new ModelError(
        `This runtime does not compute what the model card says: golden input ${i} has cosine ${
          agreement.toFixed(6)
        } to its embedding, at least ${MIN_COSINE} is needed; write the model again with \`deno task export\`.`,
      );
    }
    lowest = Math.min(lowest, agreement);
  }
  return lowest;
}

/** `Uint8Array.fromBase64` is not yet in every browser. */
function bytesOf(base64: string): Uint8Array {
  const text = atob(base64), bytes = new Uint8Array(text.length);
  // A loop: `from()` takes 5 ms for each golden of a start.
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** The cosine of two embeddings, NaN if they are not of the size. */
function cosineOfSize(a: ArrayLike<number>, b: ArrayLike<number>, dimensions: number): number {
  return a.length === dimensions && b.length === dimensions ? cosine(a, b) : NaN;
}
