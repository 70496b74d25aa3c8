import { Hono } from "hono";
import type { Env } from "../middleware/env.ts";
import { embeddingOf } from "./embedding.ts";
import { readInput } from "./input.ts";
import type { Services } from "./services.ts";
import { report } from "./timing.ts";

/** `POST /embed`: the embedding of an image. */
export function embedRoutes({ card, embedImage, maxBody, needs }: Services): Hono<Env> {
  return new Hono<Env>().post("/embed", needs("match"), async (c) => {
    const { embedding, timing } = await embeddingOf(await readInput(c, maxBody), card, embedImage);
    return c.json({ fingerprint: card.fingerprint, embedding: [...embedding], timing: report(c, timing) });
  });
}
