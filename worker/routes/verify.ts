import { Hono } from "hono";
import { z } from "zod";
import { distance, similarityOf } from "../../shared/distance.ts";
import type { Contract } from "../contract/contract.ts";
import type { BodyOf } from "../contract/endpoint.ts";
import type { Gallery } from "../gallery/gallery.ts";
import { assertPermitted } from "../keys/authorize.ts";
import type { Env } from "../middleware/env.ts";
import { Problem } from "../middleware/problem.ts";
import { embeddingOf } from "./embedding.ts";
import { Base64Image, bytesOf, Embedding, ImageFile, type Input } from "./input.ts";
import { jsonText } from "./json_object.ts";
import { SubjectPath } from "./name.ts";
import type { Services } from "./services.ts";
import { DecidingThreshold, judgementFor, StrictnessQuery } from "./strictness.ts";
import { serverTiming } from "./timing.ts";

const Enrolled = z.strictObject(SubjectPath.shape).meta({ description: "All images of an enrolled subject." });
type Enrolled = z.output<typeof Enrolled>;

const VERIFY = {
  id: "verify",
  summary: "Are these two the same?",
  description:
    "Two images, or an image and all that are enrolled of a subject. Embeddings may come in the images' place.",
  scope: "match",
  query: StrictnessQuery,
  body: {
    form: z.strictObject({
      a: ImageFile,
      b: z.union([ImageFile, jsonText(Enrolled)], "it must be a file, or {collection, subject} as JSON"),
    }),
    json: z.strictObject({
      a: z.union([Base64Image, Embedding], "it must be an image in base64, or {embedding, fingerprint}"),
      b: z.union(
        [Base64Image, Embedding, Enrolled],
        "it must be an image in base64, {embedding, fingerprint}, or {collection, subject}",
      ),
    }),
  },
  answers: {
    200: {
      description: "Whether they are the same, and how far apart.",
      json: z.object({
        same: z.boolean(),
        distance: z.number().min(0).meta({
          description: "In bands to a key without the scope `scores`, as of /match.",
        }),
        similarity: z.number().meta({ description: "The cosine, 1 - distance^2 / 2." }),
        threshold: DecidingThreshold,
        image: z.string().optional().meta({
          description: "Of a subject, the image that lies nearest: the one that was compared.",
        }),
        fingerprint: z.string().meta({ description: "Of the model." }),
      }).meta({ id: "VerifyAnswer" }),
      headers: ["server-timing"],
    },
  },
  problems: [404, 409, 422, 500, 503],
} as const satisfies Contract;

/** `POST /verify`: are these two the same? */
export function verifyRoutes({ card, images, gallery, endpoint }: Services) {
  return new Hono<Env>().post(
    "/verify",
    endpoint(VERIFY, async ({ query, body, signal, ...caller }) => {
      const { threshold, seen } = judgementFor(card, query, caller);
      const { a, b } = await sidesOf(body);
      if ("subject" in b) {
        assertPermitted(caller.permits, b.collection);
        caller.countSubject(b.collection, b.subject);
      }
      const embed = (input: Input) => embeddingOf(input, card, images, signal);
      const first = await embed(a);
      const second = "subject" in b ? null : await embed(b);
      const nearest = "subject" in b
        ? await nearestImage(gallery, b, first.embedding)
        : { distance: distance(first.embedding, second!.embedding) };
      const told = seen(nearest.distance);
      return {
        status: 200,
        body: {
          same: nearest.distance <= threshold.distance,
          similarity: similarityOf(told),
          threshold,
          ...nearest,
          distance: told,
          fingerprint: card.fingerprint,
        },
        headers: {
          "server-timing": serverTiming({
            decode: first.timing.decode + (second?.timing.decode ?? 0),
            embed: first.timing.embed + (second?.timing.embed ?? 0),
          }),
        },
      };
    }),
  );
}

async function sidesOf(body: BodyOf<typeof VERIFY.body>): Promise<{ a: Input; b: Input | Enrolled }> {
  if (body.kind === "form") {
    const { a, b } = body.form;
    return { a: { image: await bytesOf(a) }, b: b instanceof File ? { image: await bytesOf(b) } : b };
  }
  const { a, b } = body.json;
  return { a: a instanceof Uint8Array ? { image: a } : a, b: b instanceof Uint8Array ? { image: b } : b };
}

/** A subject's image that lies nearest. */
async function nearestImage(
  gallery: Gallery,
  { collection, subject }: Enrolled,
  embedding: Float32Array,
): Promise<{ distance: number; image: string }> {
  const { images } = await gallery.subject(collection, subject);
  if (images.length === 0) {
    throw new Problem(404, `The subject "${subject}" has no image to compare with; enrol one first.`);
  }
  return images.map((image) => ({ image: image.image, distance: distance(image.embedding, embedding) }))
    .reduce((nearest, other) => other.distance < nearest.distance ? other : nearest);
}
