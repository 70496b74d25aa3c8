import type { Card } from "../../shared/card.ts";
import type { ModelFiles } from "../../shared/model_files.ts";
import type { Endpoint } from "../contract/endpoint.ts";
import type { ImageEmbedder } from "../embedder/pipeline.ts";
import type { Gallery } from "../gallery/gallery.ts";

/** What the routes are made of. */
export interface Services {
  model: ModelFiles;
  /** The model's. */
  card: Card;
  embedImage: ImageEmbedder;
  gallery: Gallery;
  endpoint: Endpoint;
}
