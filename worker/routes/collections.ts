import { Hono } from "hono";
import type { Env } from "../middleware/env.ts";
import { nameOf } from "./name.ts";
import type { Services } from "./services.ts";

/** `/collections`: isolated from each other. */
export function collectionRoutes({ gallery, needs }: Services): Hono<Env> {
  return new Hono<Env>()
    .get("/collections", needs("enroll"), async (c) => c.json({ collections: await gallery.collections() }))
    .put("/collections/:collection", needs("admin"), async (c) => {
      const collection = nameOf(c.req.param("collection"), "collection");
      const isNew = await gallery.putCollection(collection);
      const summary = (await gallery.collections()).find((other) => other.collection === collection);
      return c.json(summary ?? { collection, subjects: 0, images: 0 }, isNew ? 201 : 200);
    })
    .delete("/collections/:collection", needs("admin"), async (c) => {
      await gallery.deleteCollection(nameOf(c.req.param("collection"), "collection"));
      return c.body(null, 204);
    });
}
