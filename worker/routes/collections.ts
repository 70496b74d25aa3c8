import { Hono } from "hono";
import { z } from "zod";
import type { Contract } from "../contract/contract.ts";
import type { Env } from "../middleware/env.ts";
import { CollectionPath } from "./name.ts";
import type { Services } from "./services.ts";

const Collection = z.object({
  collection: z.string(),
  subjects: z.int().min(0),
  images: z.int().min(0),
}).meta({ id: "Collection" });

const LIST = {
  id: "listCollections",
  summary: "All collections",
  scope: "enroll",
  answers: {
    200: {
      description: "All that the key is not kept from, with how many subjects and images are enrolled in each.",
      json: z.object({ collections: z.array(Collection) }),
    },
  },
  problems: [500, 503],
} as const satisfies Contract;

const GET = {
  id: "getCollection",
  summary: "One collection",
  scope: "enroll",
  params: CollectionPath,
  answers: { 200: { description: "How many are enrolled in it.", json: Collection } },
  problems: [404, 500, 503],
} as const satisfies Contract;

const PUT = {
  id: "putCollection",
  summary: "Make a collection",
  description: "The first enrolment makes it too.",
  scope: "admin",
  params: CollectionPath,
  changes: { otherMethods: ["GET"] },
  answers: {
    200: { description: "It was there already, and stays as it is.", json: Collection },
    201: { description: "It was made.", json: Collection },
  },
  problems: [500, 503, 507],
} as const satisfies Contract;

const DELETE = {
  id: "deleteCollection",
  summary: "Remove a collection and all in it",
  description: "The collection `default` is emptied and stays.",
  scope: "admin",
  params: CollectionPath,
  changes: { otherMethods: ["GET"] },
  answers: { 204: { description: "Nothing of it is left." } },
  problems: [404, 500, 503, 507],
} as const satisfies Contract;

/** `/collections`: isolated from each other. */
export function collectionRoutes({ gallery, endpoint }: Services) {
  return new Hono<Env>()
    .get(
      "/collections",
      endpoint(LIST, async ({ permits }) => {
        const collections = (await gallery.collections()).filter(({ collection }) => permits(collection));
        return { status: 200, body: { collections } };
      }),
    )
    .get(
      "/collections/:collection",
      endpoint(GET, async ({ params }) => ({ status: 200, body: await gallery.collection(params.collection) })),
    )
    .put(
      "/collections/:collection",
      endpoint(PUT, async ({ params: { collection } }) => {
        const isNew = await gallery.putCollection(collection);
        const all = await gallery.collections();
        const body = all.find((other) => other.collection === collection) ?? { collection, subjects: 0, images: 0 };
        return { status: isNew ? 201 : 200, body };
      }),
    )
    .delete(
      "/collections/:collection",
      endpoint(DELETE, async ({ params }) => {
        await gallery.deleteCollection(params.collection);
        return { status: 204 };
      }),
    );
}
