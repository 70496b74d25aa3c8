import { Hono } from "hono";
import { z } from "zod";
import { distance, similarityOf } from "../../shared/distance.ts";
import type { Contract } from "../contract/contract.ts";
import type { BodyOf } from "../contract/endpoint.ts";
import type { Found } from "../embedder/image_jobs.ts";
import type { Gallery } from "../gallery/gallery.ts";
import { assertPermitted } from "../keys/authorize.ts";
import type { Env } from "../middleware/env.ts";
import { Problem } from "../middleware/problem.ts";
import { embeddingsOf } from "./embedding.ts";
import { choiceOf, describeFace, FaceOnImage, FaceQuery } from "./face.ts";
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
    "Two images, or an image and all that are enrolled of a subject. Embeddings may come in the images' place. Of a model " +
    "of faces, the two that lie nearest are answered, among those that are meant of either image.",
  scope: "verify",
  query: StrictnessQuery.extend({ face: FaceQuery }),
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
        faces: z.object({ a: FaceOnImage.optional(), b: FaceOnImage.optional() }).optional().meta({
          description: "Of a model of faces: those of the two images that were compared.",
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
      const choice = choiceOf(card, query.face);
      const embed = (input: Input) => embeddingsOf(input, card, images, choice, signal);
      const first = await embed(a);
      const second = "subject" in b ? await imagesOf(gallery, b) : await embed(b);
      const { left, right, ...nearest } = nearestPair(first.found, second.found);
      const told = seen(nearest.distance);
      return {
        status: 200,
        body: {
          same: nearest.distance <= threshold.distance,
          similarity: similarityOf(told),
          threshold,
          ...right.image !== undefined && { image: right.image },
          ...(left.face || right.face) && { faces: { ...faceAt("a", left), ...faceAt("b", right) } },
          distance: told,
          fingerprint: card.fingerprint,
        },
        headers: {
          "server-timing": serverTiming({
            decode: first.timing.decode + second.timing.decode,
            embed: first.timing.embed + second.timing.embed,
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

/** What is compared: a face, a whole image, or one that is enrolled. */
interface Compared extends Found {
  image?: string;
}

/** The images of a subject. @throws {Problem} 404 if it has none */
async function imagesOf(gallery: Gallery, { collection, subject }: Enrolled) {
  const found: readonly Compared[] = (await gallery.subject(collection, subject)).images;
  if (found.length > 0) return { found, timing: { decode: 0, embed: 0 } };
  throw new Problem(404, `The subject "${subject}" has no image to compare with; enrol one first.`);
}

/** Of all pairs, that which lies nearest. */
function nearestPair(first: readonly Compared[], second: readonly Compared[]) {
  return first
    .flatMap((left) => second.map((right) => ({ left, right, distance: distance(left.embedding, right.embedding) })))
    .reduce((nearest, other) => other.distance < nearest.distance ? other : nearest);
}

function faceAt(side: "a" | "b", { face }: Compared) {
  return face && { [side]: describeFace(face) };
}
