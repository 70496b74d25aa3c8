import type { MiddlewareHandler } from "hono";
import type { Card } from "../../shared/card.ts";
import type { ImageEmbedder } from "../embedder/pipeline.ts";
import type { Gallery } from "../gallery/gallery.ts";
import type { Env } from "../middleware/env.ts";
import type { Scope } from "../middleware/keys.ts";

/** What the routes are made of. */
export interface Services {
  card: Card;
  embedImage: ImageEmbedder;
  gallery: Gallery;
  /** bytes */
  maxBody: number;
  /** Lets only those pass whose key has the scope. */
  needs: (scope: Scope) => MiddlewareHandler<Env>;
}
