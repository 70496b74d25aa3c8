import { Hono } from "hono";
import { z } from "zod";
import { similarityOf } from "../../shared/distance.ts";
import { DEFAULT_FMR, falseMatchProbability, falseMatchRate, thresholdAt } from "../decision.ts";
import { DEFAULT_COLLECTION } from "../gallery/gallery.ts";
import type { Env } from "../middleware/env.ts";
import { embeddingOf } from "./embedding.ts";
import { readInput } from "./input.ts";
import { nameOf } from "./name.ts";
import { Fmr, K } from "./query.ts";
import type { Services } from "./services.ts";
import { report } from "./timing.ts";

const Query = z.object({
  collection: z.string().default(DEFAULT_COLLECTION),
  k: K.default(5),
  fmr: Fmr.default(DEFAULT_FMR),
});

/** `POST /match`: who is on this image? */
export function matchRoutes({ card, embedImage, gallery, maxBody, needs }: Services): Hono<Env> {
  return new Hono<Env>().post("/match", needs("match"), async (c) => {
    const { k, fmr, ...query } = Query.parse(c.req.query());
    const collection = nameOf(query.collection, "collection");
    const input = await readInput(c, maxBody);
    const { embedding, timing } = await embeddingOf(input, card, embedImage);
    const start = performance.now();
    const { subjects, nearest } = await gallery.search(collection, embedding, { k, filter: input.filter });
    const search = performance.now() - start;
    const threshold = thresholdAt(card, fmr);
    const matches = nearest.map(({ subject, image, distance, metadata }) => ({
      subject,
      image,
      distance,
      similarity: similarityOf(distance),
      match: distance <= threshold.distance,
      falseMatchProbability: falseMatchProbability(falseMatchRate(card.calibration, distance), subjects),
      metadata,
    }));
    return c.json({
      collection,
      subjects,
      fingerprint: card.fingerprint,
      decision: matches.some(({ match }) => match) ? "match" : "no_match",
      threshold,
      matches,
      timing: report(c, { ...timing, search }),
    });
  });
}
