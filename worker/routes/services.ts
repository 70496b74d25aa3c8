import type { Card } from "../../shared/card.ts";
import type { Endpoint } from "../contract/endpoint.ts";
import type { ImageEmbedder } from "../embedder/pipeline.ts";
import type { Gallery } from "../gallery/gallery.ts";
import type { Timed } from "../metrics/metrics.ts";

/** What the routes are made of. */
export interface Services {
  card: Card;
  embedImage: ImageEmbedder;
  gallery: Gallery;
  endpoint: Endpoint;
  timed: Timed;
}
