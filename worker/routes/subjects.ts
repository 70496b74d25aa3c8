import { Hono } from "hono";
import { z } from "zod";
import type { Contract } from "../contract/contract.ts";
import type { SubjectRecord } from "../gallery/gallery.ts";
import type { Env } from "../middleware/env.ts";
import { whole } from "../whole.ts";
import { Cursor, cursorAt, nameAt } from "./cursor.ts";
import { JsonObject } from "./json_object.ts";
import { CollectionPath, SubjectPath } from "./name.ts";
import { conditionOf, etagOf, IfMatch } from "./revision.ts";
import type { Services } from "./services.ts";

/** The last moment that has a date of RFC 3339. */
const LAST_MOMENT = Date.parse("9999-12-31T23:59:59.999Z");

const ExpiresAt = z.iso.datetime().nullable().meta({ description: "From then on the subject is not there any more." });

const Listed = z.object({
  subject: z.string(),
  images: z.int().min(0).meta({ description: "How many are enrolled." }),
  metadata: JsonObject,
  expiresAt: ExpiresAt,
});

const Subject = z.object({
  subject: z.string(),
  metadata: JsonObject,
  expiresAt: ExpiresAt,
  images: z.array(z.object({ image: z.string(), createdAt: z.iso.datetime() })),
}).meta({ id: "Subject" });

const Fields = z.strictObject({
  metadata: JsonObject.default({}).meta({ description: "Any JSON object of up to 8 KiB." }),
  expiresAt: z.iso.datetime({ offset: true, message: "it must be a date and time of ISO 8601 with its zone, or null" })
    .transform((text) => new Date(Math.min(Date.parse(text), LAST_MOMENT)).toISOString())
    .nullable().optional().meta({
      description:
        "When the subject is no longer there; null for never. Without it, after the days that the worker keeps.",
    }),
});

const LIST = {
  id: "listSubjects",
  summary: "Who is enrolled",
  description: "In the order of their names, in pages. A cursor stays right whatever is enrolled or deleted meanwhile.",
  scope: "enroll",
  params: CollectionPath,
  query: z.object({
    cursor: Cursor.optional(),
    limit: whole(1, 1000).default(100).meta({ description: "How many subjects a page has." }),
  }),
  answers: {
    200: {
      description: "One page.",
      json: z.object({
        subjects: z.array(Listed),
        cursor: z.string().nullable().meta({ description: "That of the next page; null if this is the last." }),
      }).meta({ id: "SubjectPage" }),
    },
  },
  problems: [404, 500, 503],
} as const satisfies Contract;

const GET = {
  id: "getSubject",
  summary: "One subject and its images",
  scope: "enroll",
  params: SubjectPath,
  answers: { 200: { description: "The subject.", json: Subject, headers: ["etag"] } },
  problems: [404, 500, 503],
} as const satisfies Contract;

const PUT = {
  id: "putSubject",
  summary: "Create a subject, or replace its metadata and expiry",
  description: "Its images stay. What the body leaves out is as if it were never set.",
  scope: "enroll",
  params: SubjectPath,
  headers: IfMatch,
  body: { json: Fields, optional: true },
  changes: { otherMethods: ["GET"] },
  answers: {
    200: { description: "It was replaced.", json: Subject, headers: ["etag"] },
    201: { description: "It was created.", json: Subject, headers: ["etag"] },
  },
  problems: [412, 500, 503, 507],
} as const satisfies Contract;

const DELETE = {
  id: "deleteSubject",
  summary: "Delete a subject and all its images",
  description: "At once and completely: nothing of it is kept.",
  scope: "enroll",
  params: SubjectPath,
  headers: IfMatch,
  changes: { otherMethods: ["GET"] },
  answers: { 204: { description: "Nothing of it is left." } },
  problems: [404, 412, 500, 503, 507],
} as const satisfies Contract;

/** `/collections/{c}/subjects`: who is enrolled. */
export function subjectRoutes({ gallery, newExpiry, endpoint }: Services) {
  return new Hono<Env>()
    .get(
      "/collections/:collection/subjects",
      endpoint(LIST, async ({ params: { collection }, query: { cursor, limit } }) => {
        const page = await gallery.subjects(collection, { after: cursor ? nameAt(cursor) : null, limit });
        const subjects = page.subjects.map(({ images, subject, metadata, expiresAt }) => {
          return { subject, images: images.length, metadata, expiresAt };
        });
        return { status: 200, body: { subjects, cursor: page.next === null ? null : cursorAt(page.next) } };
      }),
    )
    .get(
      "/collections/:collection/subjects/:subject",
      endpoint(GET, async ({ params: { collection, subject } }) => {
        return { status: 200, ...describe(await gallery.subject(collection, subject)) };
      }),
    )
    .put(
      "/collections/:collection/subjects/:subject",
      endpoint(PUT, async ({ params: { collection, subject }, headers, body }) => {
        const { metadata, expiresAt = newExpiry() } = body.json;
        const fields = { metadata, expiresAt };
        const { record, created } = await gallery.putSubject(collection, subject, fields, conditionOf(headers));
        return { status: created ? 201 : 200, ...describe(record) };
      }),
    )
    .delete(
      "/collections/:collection/subjects/:subject",
      endpoint(DELETE, async ({ params: { collection, subject }, headers }) => {
        await gallery.deleteSubject(collection, subject, conditionOf(headers));
        return { status: 204 };
      }),
    );
}

function describe(record: SubjectRecord): { body: z.output<typeof Subject>; headers: { etag: string } } {
  const { subject, metadata, expiresAt } = record;
  const images = record.images.map(({ image, createdAt }) => ({ image, createdAt }));
  return { body: { subject, metadata, expiresAt, images }, headers: { etag: etagOf(record) } };
}
