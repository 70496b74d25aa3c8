import { Hono } from "hono";
import { createHash } from "node:crypto";
import { z } from "zod";
import type { Contract } from "../contract/contract.ts";
import { assertGoodEnough } from "../embedder/look.ts";
import type { Env } from "../middleware/env.ts";
import { Doubts, Enrolment } from "./enrolment.ts";
import { embeddingsOf } from "./embedding.ts";
import { choiceOf, describeFace, OneFace } from "./face.ts";
import { Base64Image, Embedding, ImageFile, type Input, inputOf } from "./input.ts";
import { ImagePath, SubjectPath } from "./name.ts";
import { conditionOf, etagOf, IfMatch } from "./revision.ts";
import type { Services } from "./services.ts";
import { serverTiming } from "./timing.ts";

const ENROL = {
  id: "enrolImage",
  summary: "Enrol one more image of a subject",
  description:
    "Of the image, or the embedding in its place, only the embedding is kept, and a small picture where the operator " +
    "has chosen that. The subject and its collection are made if they are new.",
  scope: "enroll",
  params: SubjectPath,
  query: z.object({
    face: OneFace.optional().meta({
      description:
        "Of a model of faces: which of the image's is enrolled. Without it, an image with several is refused.",
    }),
    quality: z.enum(["good", "any"], "give good, or any").default("good").meta({
      description: "Of a model of faces: any enrols those too that are small, blurred, turned away or badly lit.",
    }),
  }),
  headers: IfMatch.extend({
    "idempotency-key": z.string()
      .regex(/^[!-~]{1,255}$/, "it has 1 to 255 visible ASCII characters; a UUID will do")
      .optional()
      .meta({
        description:
          "Makes the request safe to repeat: with the same key and the same image, a subject gets one image, " +
          "and every repetition is answered with that; with another image it is 409. A key is known as long as its " +
          "image is there.",
      }),
  }),
  body: {
    image: true,
    form: z.strictObject({ image: ImageFile }),
    json: z.union([z.strictObject({ image: Base64Image }), Embedding]),
  },
  changes: { otherMethods: [] },
  answers: {
    201: {
      description: "It was enrolled.",
      json: Enrolment,
      headers: ["etag", "server-timing"],
    },
    202: {
      description:
        "It is in doubt, and waits until an administrator enrols or deletes it, where the operator has chosen that.",
      json: z.object({ subject: z.string(), review: z.string(), doubts: Doubts }).meta({ id: "Review" }),
      headers: ["server-timing"],
    },
  },
  problems: [409, 412, 422, 500, 503, 507],
} as const satisfies Contract;

const DELETE = {
  id: "deleteImage",
  summary: "Delete one enrolled image",
  description: "The subject stays, though it were its last image.",
  scope: "enroll",
  params: ImagePath,
  headers: IfMatch,
  changes: { otherMethods: [] },
  answers: { 204: { description: "Nothing of it is left." } },
  problems: [404, 412, 500, 503, 507],
} as const satisfies Contract;

/** `/collections/{c}/subjects/{s}/images`: what is enrolled of a subject. */
export function imageRoutes(services: Services) {
  const { card, images, gallery, reviews, review, thumbnails, newExpiry, endpoint } = services;
  return new Hono<Env>()
    .post(
      "/collections/:collection/subjects/:subject/images",
      endpoint(ENROL, async ({ params: { collection, subject }, query, headers, body, signal }) => {
        const input = await inputOf(body);
        const choice = choiceOf(card, query.face) ?? "one";
        const { found: [{ embedding, face }], timing } = await embeddingsOf(input, card, images, choice, signal);
        if (face !== undefined && query.quality === "good") assertGoodEnough(face, card);
        const key = headers["idempotency-key"];
        const request = key === undefined ? undefined : { key, digest: digestOf(input) };
        const thumbnail = thumbnails && "image" in input ? await images.thumbnail(input.image, signal) : undefined;
        const beside = { request, thumbnail, expiresAt: newExpiry() };
        const timed = { "server-timing": serverTiming(timing) };
        const doubts = review ? await reviews.doubts(collection, subject, embedding, key) : [];
        if (doubts.length > 0) {
          const review = await reviews.hold(collection, subject, embedding, beside);
          return { status: 202, body: { subject, review, doubts }, headers: timed };
        }
        const { image, record } = await gallery.addImage(collection, subject, embedding, beside, conditionOf(headers));
        return {
          status: 201,
          body: { subject, image, images: record.images.length, ...face && { face: describeFace(face) } },
          headers: { etag: etagOf(record), ...timed },
        };
      }),
    )
    .delete(
      "/collections/:collection/subjects/:subject/images/:image",
      endpoint(DELETE, async ({ params: { collection, subject, image }, headers }) => {
        await gallery.deleteImage(collection, subject, image, conditionOf(headers));
        return { status: 204 };
      }),
    );
}

/** The SHA-256 of what is enrolled. */
function digestOf(input: Input): string {
  const content = "image" in input ? input.image : new Uint8Array(Float64Array.from(input.embedding).buffer);
  return createHash("sha256").update(content).digest("hex");
}
