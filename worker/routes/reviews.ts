import { Hono } from "hono";
import { z } from "zod";
import type { Contract } from "../contract/contract.ts";
import type { Env } from "../middleware/env.ts";
import { whole } from "../whole.ts";
import { Cursor, cursorAt, nameAt } from "./cursor.ts";
import { Doubts, Enrolment } from "./enrolment.ts";
import { CollectionPath, SubjectPath } from "./name.ts";
import { etagOf } from "./revision.ts";
import type { Services } from "./services.ts";

const ReviewPath = SubjectPath.extend({
  review: z.string().min(1).meta({ description: "The id of an enrolment that waits." }),
});

const LIST = {
  id: "listReviews",
  summary: "Enrolments that wait for a review",
  description: "In the order of the subjects' names, in pages.",
  scope: "admin",
  params: CollectionPath,
  query: z.object({
    cursor: Cursor.optional(),
    limit: whole(1, 1000).default(100).meta({ description: "Of how many subjects a page tells." }),
  }),
  answers: {
    200: {
      description: "One page; nothing where nothing waits.",
      json: z.object({
        reviews: z.array(
          z.object({ subject: z.string(), review: z.string(), createdAt: z.iso.datetime(), doubts: Doubts }),
        ),
        cursor: z.string().nullable().meta({ description: "That of the next page; null if this is the last." }),
      }).meta({ id: "ReviewPage" }),
    },
  },
  problems: [500, 503],
} as const satisfies Contract;

const ACCEPT = {
  id: "acceptReview",
  summary: "Enrol an image that waits",
  scope: "admin",
  params: ReviewPath,
  changes: { otherMethods: [] },
  answers: { 201: { description: "It was enrolled.", json: Enrolment, headers: ["etag"] } },
  problems: [404, 500, 503, 507],
} as const satisfies Contract;

const REFUSE = {
  id: "refuseReview",
  summary: "Delete an image that waits",
  scope: "admin",
  params: ReviewPath,
  changes: { otherMethods: [] },
  answers: { 204: { description: "Nothing of it is left." } },
  problems: [404, 500, 503, 507],
} as const satisfies Contract;

/** `/collections/{c}/reviews`: enrolments that are in doubt. */
export function reviewRoutes({ reviews, endpoint }: Services) {
  return new Hono<Env>()
    .get(
      "/collections/:collection/reviews",
      endpoint(LIST, async ({ params: { collection }, query: { cursor, limit } }) => {
        const { held, next } = await reviews.list(collection, { after: cursor ? nameAt(cursor) : null, limit });
        return { status: 200, body: { reviews: held, cursor: next === null ? null : cursorAt(next) } };
      }),
    )
    .post(
      "/collections/:collection/subjects/:subject/reviews/:review",
      endpoint(ACCEPT, async ({ params: { collection, subject, review } }) => {
        const { image, record } = await reviews.accept(collection, subject, review);
        return {
          status: 201,
          body: { subject, image, images: record.images.length },
          headers: { etag: etagOf(record) },
        };
      }),
    )
    .delete(
      "/collections/:collection/subjects/:subject/reviews/:review",
      endpoint(REFUSE, async ({ params: { collection, subject, review } }) => {
        await reviews.refuse(collection, subject, review);
        return { status: 204 };
      }),
    );
}
