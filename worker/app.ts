import { Hono } from "hono";
import { cors } from "hono/cors";
import { methodNotAllowed } from "hono/method-not-allowed";
import { DEFAULT_MAX_BODY, DEFAULT_QUEUE } from "./config.ts";
import { openApiDocument } from "./contract/document.ts";
import { createEndpoint } from "./contract/endpoint.ts";
import type { OpenApiDocument } from "./contract/open_api.ts";
import { createQueuedJobs } from "./embedder/pipeline.ts";
import { createQueue } from "./embedder/queue.ts";
import type { ImageService } from "./embedder/service.ts";
import type { Gallery } from "./gallery/gallery.ts";
import { expiryOf } from "./gallery/retention.ts";
import { withReviews } from "./gallery/reviews.ts";
import type { KeySource } from "./keys/key.ts";
import { createMetrics } from "./metrics/metrics.ts";
import { drainBody } from "./middleware/body.ts";
import { refuseWhile } from "./middleware/draining.ts";
import type { Env } from "./middleware/env.ts";
import { hardenedHeaders } from "./middleware/hardened_headers.ts";
import { localOnly } from "./middleware/local_only.ts";
import { percentEncoding } from "./middleware/percent_encoding.ts";
import { answerErrors, answerProblem, Problem } from "./middleware/problem.ts";
import { type Log, requestLog } from "./middleware/request_log.ts";
import { clientRoutes } from "./routes/client.ts";
import { collectionRoutes } from "./routes/collections.ts";
import { docsRoutes } from "./routes/docs.ts";
import { embedRoutes } from "./routes/embed.ts";
import { healthRoutes, type WorkerState } from "./routes/health.ts";
import { imageRoutes } from "./routes/images.ts";
import { matchRoutes } from "./routes/match.ts";
import { metricsRoutes } from "./routes/metrics.ts";
import { modelRoutes } from "./routes/model.ts";
import { mapRoutes } from "./routes/map.ts";
import { previewRoutes } from "./routes/preview.ts";
import { thumbnailRoutes } from "./routes/thumbnails.ts";
import { modelFileRoutes } from "./routes/model_files.ts";
import { playgroundRoutes } from "./routes/playground.ts";
import { reviewRoutes } from "./routes/reviews.ts";
import type { ServedModel, Services } from "./routes/services.ts";
import { subjectRoutes } from "./routes/subjects.ts";
import { verifyRoutes } from "./routes/verify.ts";

/** How long an image may wait for its turn, milliseconds. */
const PATIENCE_MILLISECONDS = 10_000;

/** What the worker is made of. */
export interface AppDeps {
  model: ServedModel;
  /** Of the model, whose embedder was proved by `selfTest` before. */
  images: ImageService;
  /** Of the model. */
  gallery: Gallery;
  /** Without keys, everybody on this machine may do everything, and nobody else anything. */
  keys?: KeySource | undefined;
  /** Origins whose pages may call, beside those of the keys; default none but the worker's own. */
  corsOrigins?: readonly string[];
  /** The largest body, in bytes; default 8 MiB. */
  maxBody?: number;
  /** How many images may wait while others are embedded; default 16. */
  queue?: number;
  /** Whether a small picture is kept of every image that is enrolled; default not. */
  thumbnails?: boolean;
  /** Whether a model of faces may be asked who somebody is among all of a collection; default not. */
  faceSearch?: boolean;
  /** Days after which a subject expires for which nothing else is said, 0 for never; default as `expiryOf` has it. */
  retention?: number | undefined;
  /** Whether enrolments that are in doubt wait for a review; default not. */
  review?: boolean;
  /** Default: nowhere. */
  log?: Log;
  /** While it is `draining`, new requests are refused; default `ready`. */
  state?: () => WorkerState;
}

/**
 * The worker: images in, matches out.
 *
 * @example
 * ```ts
 * const app = createApp({ model, images, gallery });
 * Deno.serve({ hostname: "127.0.0.1" }, app.fetch);
 * ```
 */
export function createApp(deps: AppDeps) {
  const {
    model,
    images: { jobs, width, breathe },
    keys,
    corsOrigins = [],
    maxBody = DEFAULT_MAX_BODY,
    thumbnails = false,
    faceSearch = false,
    review = false,
    log = () => {},
    state = () => "ready",
  } = deps;
  const queue = createQueue({ limit: deps.queue ?? DEFAULT_QUEUE, width, breathe, patience: PATIENCE_MILLISECONDS });
  const { card } = model;
  const { gallery, reviews } = withReviews(deps.gallery, card);
  const metrics = createMetrics();
  const services: Services = {
    model,
    card,
    gallery,
    reviews,
    review,
    queue,
    thumbnails,
    images: createQueuedJobs(jobs, queue, metrics.noted),
    mayMatch: faceSearch || card.domain !== "face",
    newExpiry: () => expiryOf(card, deps.retention, Date.now()),
    endpoint: createEndpoint(keys, maxBody, gallery.isReadOnly === true, queue.assertRoom),
    timed: metrics.timed,
  };
  const app = new Hono<Env>();
  app.use(requestLog(log));
  app.use(hardenedHeaders());
  app.use(metrics.count);
  app.use(drainBody());
  if (corsOrigins.length > 0 || keys !== undefined) app.use(cors(corsOptions(corsOrigins, keys)));
  app.use(refuseWhile(() => state() === "draining"));
  if (keys === undefined) app.use(localOnly(corsOrigins));
  app.use(percentEncoding());
  app.use(methodNotAllowed({
    app,
    onMethodNotAllowed: (c, methods) =>
      answerProblem(
        c,
        new Problem(405, `${c.req.path} takes ${methods.join(", ")} only.`, { allow: methods.join(", ") }),
      ),
  }));
  app.notFound((c) =>
    answerProblem(c, new Problem(404, `There is nothing at ${c.req.path}; see the routes at /docs.`))
  );
  app.onError(answerErrors(log));
  const metricsText = () => metrics.text({ gallery, fingerprint: card.fingerprint, queueDepth: queue.depth() });
  return withRoutes(app, services, metricsText, state, keys !== undefined);
}

function withRoutes(
  app: Hono<Env>,
  services: Services,
  metricsText: () => Promise<string>,
  state: () => WorkerState,
  needsKeys: boolean,
) {
  let document: OpenApiDocument | undefined;
  return app
    .route("/", matchRoutes(services))
    .route("/", verifyRoutes(services))
    .route("/", embedRoutes(services))
    .route("/", collectionRoutes(services))
    .route("/", subjectRoutes(services))
    .route("/", imageRoutes(services))
    .route("/", reviewRoutes(services))
    .route("/", thumbnailRoutes(services))
    .route("/", mapRoutes(services))
    .route("/", previewRoutes(services))
    .route("/", modelRoutes(services))
    .route("/", modelFileRoutes(services))
    .route("/", clientRoutes(services))
    .route("/", healthRoutes(services, state))
    .route("/", metricsRoutes(services, metricsText))
    .route("/", docsRoutes(services, () => document ??= openApiDocument(app.routes, needsKeys)))
    .route("/", playgroundRoutes(services));
}

/** The worker's app, as a client's types need it: `hc<AppType>(url)`. */
export type AppType = ReturnType<typeof createApp>;

function corsOptions(origins: readonly string[], keys: KeySource | undefined) {
  return {
    async origin(origin: string) {
      if (origins.includes(origin)) return origin;
      // A preflight carries no key, so what any key may do is asked for.
      const listed = await keys?.().catch(() => []);
      return listed?.some((key) => key.origins?.has(origin)) ? origin : null;
    },
    allowMethods: ["GET", "HEAD", "PUT", "POST", "DELETE"],
    allowHeaders: ["authorization", "content-type", "if-match", "idempotency-key", "x-request-id"],
    exposeHeaders: ["etag", "ratelimit", "ratelimit-policy", "retry-after", "server-timing", "x-request-id"],
    maxAge: 600,
  };
}
