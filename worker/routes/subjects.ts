import { type Context, Hono } from "hono";
import { createHash } from "node:crypto";
import { z } from "zod";
import type { ImageRecord, RevisionCondition, SubjectRecord } from "../gallery/gallery.ts";
import { readBody } from "../middleware/body.ts";
import type { Env } from "../middleware/env.ts";
import { Problem } from "../middleware/problem.ts";
import { embeddingOf } from "./embedding.ts";
import { type Input, mediaType, readInput } from "./input.ts";
import { parseJson } from "./json.ts";
import { nameOf, namesOf } from "./name.ts";
import { Limit } from "./query.ts";
import type { Services } from "./services.ts";
import { report } from "./timing.ts";

const SUBJECTS = "/collections/:collection/subjects";
const MAX_METADATA = 8 << 10;

const Page = z.object({ cursor: z.string().optional(), limit: Limit.default(100) });

const Fields = z.strictObject({
  metadata: z.custom<Record<string, unknown>>(
    (value) => value !== null && typeof value === "object" && !Array.isArray(value),
    "it must be a JSON object",
  ).refine(
    (value) => new TextEncoder().encode(JSON.stringify(value)).length <= MAX_METADATA,
    "it must be at most 8 KiB of JSON",
  )
    .default({}),
  expiresAt: z.iso.datetime({ offset: true, message: "it must be a date and time of ISO 8601 with its zone, or null" })
    .transform((text) => new Date(text).toISOString()).nullable().default(null),
});

/** `/collections/{c}/subjects`: who is enrolled, and their images. */
export function subjectRoutes({ card, embedImage, gallery, maxBody, needs }: Services): Hono<Env> {
  return new Hono<Env>()
    .get(SUBJECTS, needs("enroll"), async (c) => {
      const { cursor, limit } = Page.parse(c.req.query());
      const page = await gallery.subjects(nameOf(c.req.param("collection"), "collection"), {
        after: cursor ? subjectAt(cursor) : null,
        limit,
      });
      const subjects = page.subjects.map(({ subject, images, metadata, expiresAt }) => {
        return { subject, images: images.length, metadata, expiresAt };
      });
      return c.json({ subjects, cursor: page.next === null ? null : cursorAt(page.next) });
    })
    .get(`${SUBJECTS}/:subject`, needs("enroll"), async (c) => {
      const { collection, subject } = namesOf(c.req.param());
      return answerSubject(c, await gallery.subject(collection, subject), 200);
    })
    .put(`${SUBJECTS}/:subject`, needs("enroll"), async (c) => {
      const { collection, subject } = namesOf(c.req.param());
      const fields = await readFields(c, maxBody);
      const { record, created } = await gallery.putSubject(collection, subject, fields, ifMatch(c));
      return answerSubject(c, record, created ? 201 : 200);
    })
    .delete(`${SUBJECTS}/:subject`, needs("enroll"), async (c) => {
      const { collection, subject } = namesOf(c.req.param());
      await gallery.deleteSubject(collection, subject, ifMatch(c));
      return c.body(null, 204);
    })
    .post(`${SUBJECTS}/:subject/images`, needs("enroll"), async (c) => {
      const { collection, subject } = namesOf(c.req.param());
      const input = await readInput(c, maxBody);
      const { embedding, timing } = await embeddingOf(input, card, embedImage);
      const { image, record } = await gallery.addImage(collection, subject, embedding, requestOf(c, input));
      report(c, timing);
      c.header("etag", etagOf(record));
      return c.json({ subject, image, images: record.images.length }, 201);
    })
    .delete(`${SUBJECTS}/:subject/images/:image`, needs("enroll"), async (c) => {
      const { collection, subject } = namesOf(c.req.param());
      await gallery.deleteImage(collection, subject, c.req.param("image"));
      return c.body(null, 204);
    });
}

function answerSubject(c: Context<Env>, record: SubjectRecord, status: 200 | 201): Response {
  const { subject, metadata, expiresAt } = record;
  const images = record.images.map(({ image, createdAt }) => ({ image, createdAt }));
  return c.json({ subject, metadata, expiresAt, images }, status, { etag: etagOf(record) });
}

async function readFields(c: Context<Env>, maxBody: number): Promise<z.infer<typeof Fields>> {
  const body = await readBody(c, maxBody);
  if (body.length === 0) return Fields.parse({});
  if (mediaType(c) !== "application/json") {
    throw new Problem(415, 'A subject is put as application/json, for example {"metadata": {}}; set the content-type.');
  }
  return parseJson(body, Fields, "The body");
}

function etagOf({ revision }: SubjectRecord): string {
  return `"${revision}"`;
}

/** The revisions of `If-Match`: strong comparison, so weak tags match none (RFC 9110, section 13.1.1). */
function ifMatch(c: Context<Env>): RevisionCondition | undefined {
  const header = c.req.header("if-match")?.trim();
  if (header === undefined) return undefined;
  if (header === "*") return "any";
  return header.split(",").flatMap((tag) => /^\s*"([^"]*)"\s*$/.exec(tag)?.[1] ?? []);
}

/** The client's idempotency key with the SHA-256 of what it enrols. */
function requestOf(c: Context<Env>, input: Input): ImageRecord["request"] {
  const key = c.req.header("idempotency-key");
  if (key === undefined) return undefined;
  if (key.length === 0 || key.length > 255) {
    throw new Problem(400, "An Idempotency-Key has 1 to 255 characters; a UUID will do.");
  }
  const content = input.kind === "image" ? input.image : new Uint8Array(Float64Array.from(input.embedding).buffer);
  return { key, digest: createHash("sha256").update(content).digest("hex") };
}

function cursorAt(subject: string): string {
  return new TextEncoder().encode(subject).toBase64({ alphabet: "base64url", omitPadding: true });
}

function subjectAt(cursor: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.fromBase64(cursor, { alphabet: "base64url" }));
  } catch {
    throw new Problem(400, "This cursor is not one that a listing answered; begin without one.");
  }
}
