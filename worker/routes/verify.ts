import { type Context, Hono } from "hono";
import { z } from "zod";
import { distance, similarityOf } from "../../shared/distance.ts";
import { DEFAULT_FMR, thresholdAt } from "../decision.ts";
import type { Gallery } from "../gallery/gallery.ts";
import { readBody } from "../middleware/body.ts";
import type { Env } from "../middleware/env.ts";
import { Problem } from "../middleware/problem.ts";
import { imageOf, mediaType, notEmpty, readForm } from "./input.ts";
import { decodeBase64, parseJson } from "./json.ts";
import { namesOf } from "./name.ts";
import { Fmr } from "./query.ts";
import type { Services } from "./services.ts";
import { report } from "./timing.ts";

const Query = z.object({ fmr: Fmr.default(DEFAULT_FMR) });

const Reference = z.strictObject(
  { collection: z.string(), subject: z.string() },
  "it must be an image or a {collection, subject}",
);
type Reference = z.infer<typeof Reference>;

const Body = z.object({
  a: z.string("it must be an image in base64"),
  b: z.union([z.string(), Reference], "it must be an image in base64, or {collection, subject}"),
});

/** `POST /verify`: are these two the same? */
export function verifyRoutes({ card, embedImage, gallery, maxBody, needs }: Services): Hono<Env> {
  return new Hono<Env>().post("/verify", needs("match"), async (c) => {
    const { fmr } = Query.parse(c.req.query());
    const { a, b } = await readPair(c, maxBody);
    const first = await embedImage(a);
    const other = b instanceof Uint8Array ? await embedImage(b) : null;
    const nearest = b instanceof Uint8Array
      ? distance(first.embedding, other!.embedding)
      : await nearestImage(gallery, b, first.embedding);
    const threshold = thresholdAt(card, fmr);
    report(c, {
      decode: first.timing.decode + (other?.timing.decode ?? 0),
      embed: first.timing.embed + (other?.timing.embed ?? 0),
    });
    return c.json({
      same: nearest <= threshold.distance,
      distance: nearest,
      similarity: similarityOf(nearest),
      threshold,
      fingerprint: card.fingerprint,
    });
  });
}

/** The two sides: fields of a form or of JSON; `b` may name a subject. */
async function readPair(
  c: Context<Env>,
  maxBody: number,
): Promise<{ a: Uint8Array<ArrayBuffer>; b: Uint8Array<ArrayBuffer> | Reference }> {
  const type = mediaType(c);
  if (type === "multipart/form-data") {
    const form = await readForm(c, maxBody);
    const b = form.get("b");
    return {
      a: await imageOf(form, "a"),
      b: typeof b === "string" ? parseJson(b, Reference, 'The field "b"') : await imageOf(form, "b"),
    };
  }
  if (type === "application/json") {
    const { a, b } = parseJson(await readBody(c, maxBody), Body, "The body");
    const image = (base64: string, name: string) => notEmpty(decodeBase64(base64, name), name);
    return { a: image(a, '"a"'), b: typeof b === "string" ? image(b, '"b"') : b };
  }
  throw new Problem(
    415,
    `The content-type "${type}" is not supported; send multipart/form-data or application/json with a and b.`,
  );
}

/** The distance of a subject's nearest image. */
async function nearestImage(
  gallery: Gallery,
  reference: Reference,
  embedding: Float32Array,
): Promise<number> {
  const { collection, subject } = namesOf(reference);
  const { images } = await gallery.subject(collection, subject);
  if (images.length === 0) {
    throw new Problem(404, `The subject "${subject}" has no image to compare with; enrol one first.`);
  }
  return Math.min(...images.map((image) => distance(image.embedding, embedding)));
}
