import { Hono } from "hono";
import { z } from "zod";
import type { Contract } from "../contract/contract.ts";
import type { Env } from "../middleware/env.ts";
import { embeddingOf } from "./embedding.ts";
import { Base64Image, ImageFile, inputOf } from "./input.ts";
import type { Services } from "./services.ts";
import { EmbedTiming, rounded, serverTiming } from "./timing.ts";

const EMBED = {
  id: "embed",
  summary: "The embedding of an image",
  description: "What a client may keep and send in the image's place, beside the fingerprint.",
  scope: "match",
  body: {
    image: true,
    form: z.strictObject({ image: ImageFile }),
    json: z.strictObject({ image: Base64Image }),
  },
  answers: {
    200: {
      description: "The embedding.",
      json: z.object({
        fingerprint: z.string().meta({ description: "Of the model that the embedding is of." }),
        embedding: z.array(z.number()).meta({ description: "Of unit length." }),
        timing: EmbedTiming,
      }).meta({ id: "EmbedAnswer" }),
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
    endpoint(EMBED, async ({ body, signal }) => {
      const { embedding, timing } = await embeddingOf(await inputOf(body), card, images, signal);
      return {
        status: 200,
        body: { fingerprint, embedding: [...embedding], timing: rounded(timing) },
        headers: { "server-timing": serverTiming(timing) },
      };
    }),
  );
}
