import { Hono } from "hono";
import { z } from "zod";
import type { Contract } from "../contract/contract.ts";
import type { Env } from "../middleware/env.ts";
import type { Found } from "../embedder/image_jobs.ts";
import { embeddingsOf } from "./embedding.ts";
import { choiceOf, describeFace, FaceOnImage, FaceQuery, isOne } from "./face.ts";
import { Base64Image, ImageFile, inputOf } from "./input.ts";
import type { Services } from "./services.ts";
import { EmbedTiming, rounded, serverTiming } from "./timing.ts";

const Embedded = z.object({
  embedding: z.array(z.number()).meta({ description: "Of unit length." }),
  face: FaceOnImage.optional().meta({ description: "Of a model of faces: that which was embedded." }),
});
const fingerprint = z.string().meta({ description: "Of the model that the embedding is of." });

const EMBED = {
  id: "embed",
  summary: "The embedding of an image, or of the faces on it",
  description: "What a client may keep and send in the image's place, beside the fingerprint.",
  scope: "verify",
  query: z.object({ face: FaceQuery }),
  body: {
    image: true,
    form: z.strictObject({ image: ImageFile }),
    json: z.strictObject({ image: Base64Image }),
  },
  answers: {
    200: {
      description: "The embedding; where all faces are meant, one for each.",
      json: z.union([
        Embedded.extend({ fingerprint, timing: EmbedTiming }).meta({ id: "EmbedAnswer" }),
        z.object({ fingerprint, faces: z.array(Embedded), timing: EmbedTiming }).meta({ id: "EmbedFaces" }),
      ]),
      headers: ["server-timing"],
    },
  },
  problems: [422, 500, 503],
} as const satisfies Contract;

/** `POST /embed`: the embedding of an image. */
export function embedRoutes({ card, images, endpoint }: Services) {
  const { fingerprint } = card;
  return new Hono<Env>().post(
    "/embed",
    endpoint(EMBED, async ({ query, body, signal }) => {
      const choice = choiceOf(card, query.face);
      const { found, timing } = await embeddingsOf(await inputOf(body), card, images, choice, signal);
      const faces = found.map(describe), beside = { fingerprint, timing: rounded(timing) };
      return {
        status: 200,
        body: isOne(found, choice) ? { ...faces[0], ...beside } : { faces, ...beside },
        headers: { "server-timing": serverTiming(timing) },
      };
    }),
  );
}

function describe({ embedding, face }: Found): z.output<typeof Embedded> {
  return { embedding: [...embedding], ...face && { face: describeFace(face) } };
}
