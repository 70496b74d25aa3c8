import type { Card } from "../../shared/card.ts";
import type { ModelFiles } from "../../shared/model_files.ts";
import type { Endpoint } from "../contract/endpoint.ts";
import type { QueuedJobs } from "../embedder/pipeline.ts";
import type { Queue } from "../embedder/queue.ts";
import type { Gallery } from "../gallery/gallery.ts";
import type { Reviews } from "../gallery/reviews.ts";
import type { Timed } from "../metrics/metrics.ts";

/** The model as clients get it; its weights only when they are asked for. */
export interface ServedModel extends Pick<ModelFiles, "card" | "modelJson"> {
  readWeights(): Promise<ModelFiles["weights"]>;
  /** Of a model of faces: what finds them. */
  readFace?(): Promise<ModelFiles["face"]>;
}

/** What the routes are made of. */
export interface Services {
  model: ServedModel;
  /** The model's. */
  card: Card;
  /** In which all that computes waits for its turn. */
  queue: Queue;
  /** What is done with images, each in its turn. */
  images: QueuedJobs;
  gallery: Gallery;
  /** Kept in the gallery. */
  reviews: Reviews;
  /** Whether enrolments that are in doubt wait for a review. */
  review: boolean;
  /** Whether a small picture is kept of every image that is enrolled. */
  thumbnails: boolean;
  /** Whether `/match` is to be had. */
  mayMatch: boolean;
  /** When a subject expires for which nothing else is said; null for never. */
  newExpiry(): string | null;
  endpoint: Endpoint;
  timed: Timed;
}
