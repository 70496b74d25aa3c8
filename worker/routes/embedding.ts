import type { Card } from "../../shared/card.ts";
import type { EmbeddedImage } from "../embedder/image_jobs.ts";
import type { FaceChoice } from "../embedder/look.ts";
import type { QueuedJobs } from "../embedder/pipeline.ts";
import { Problem } from "../middleware/problem.ts";
import type { Input } from "./input.ts";

/** How far from 1 the length of an embedding that a client sends may be: room for decimal digits that were cut off. */
const LENGTH_TOLERANCE = 1e-3;

/**
 * The embeddings of what a request brought: computed from its image, or its own if it is of this model.
 *
 * @param choice which faces of the image are meant
 * @param signal of the request
 * @throws {Problem} 409 if it is another model's; 422 if it has another size or is not of unit length
 */
export async function embeddingsOf(
  input: Input,
  card: Pick<Card, "fingerprint" | "embedding">,
  images: QueuedJobs,
  choice: FaceChoice | undefined,
  signal: AbortSignal,
): Promise<EmbeddedImage> {
  if ("embedding" in input) return { found: [{ embedding: own(input, card) }], timing: { decode: 0, embed: 0 } };
  return await images.embed(input.image, signal, choice);
}

function own(
  { embedding, fingerprint }: { embedding: number[]; fingerprint: string },
  card: Pick<Card, "fingerprint" | "embedding">,
): Float32Array {
  const { dimensions } = card.embedding;
  if (fingerprint !== card.fingerprint) {
    throw new Problem(409, `The embedding is of another model; compute it with the model ${card.fingerprint}.`);
  }
  if (embedding.length !== dimensions) {
    throw new Problem(422, `The embedding has ${embedding.length} numbers, and this model's have ${dimensions}.`);
  }
  const length = Math.hypot(...embedding);
  if (!(Math.abs(length - 1) <= LENGTH_TOLERANCE)) {
    throw new Problem(
      422,
      `The embedding has the length ${length.toPrecision(4)}; send it L2-normalised, as /embed answers it.`,
    );
  }
  return Float32Array.from(embedding);
}
