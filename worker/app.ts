import { Hono } from "hono";
import { cors } from "hono/cors";
import { methodNotAllowed } from "hono/method-not-allowed";
import type { ModelFiles } from "../shared/model_files.ts";
import { DEFAULT_MAX_BODY, DEFAULT_QUEUE } from "./config.ts";
import { openApiDocument } from "./contract/document.ts";
import { createEndpoint } from "./contract/endpoint.ts";
import type { OpenApiDocument } from "./contract/open_api.ts";
import type { Embedder } from "./embedder/embedder.ts";
import { createImageEmbedder } from "./embedder/pipeline.ts";
import { createQueue } from "./embedder/queue.ts";
import type { Gallery } from "./gallery/gallery.ts";
import type { KeySource } from "./keys/key.ts";
import { drainBody } from "./middleware/body.ts";
import { refuseWhile } from "./middleware/draining.ts";
import type { Env } from "./middleware/env.ts";
import { localOnly } from "./middleware/local_only.ts";
import { createMetrics, type Metrics } from "./middleware/metrics.ts";
import { percentEncoding } from "./middleware/percent_encoding.ts";
import { answerProblem, Problem, problemOf } from "./middleware/problem.ts";
import { type Log, requestLog } from "./middleware/request_log.ts";
import { clientRoutes } from "./routes/client.ts";
import { collectionRoutes } from "./routes/collections.ts";
import { docsRoutes } from "./routes/docs.ts";
import { embedRoutes } from "./routes/embed.ts";
import { healthRoutes } from "./routes/health.ts";
import { imageRoutes } from "./routes/images.ts";
import { matchRoutes } from "./routes/match.ts";
import { metricsRoutes } from "./routes/metrics.ts";
import { modelRoutes } from "./routes/model.ts";
import { mapRoutes } from "./routes/map.ts";
import { previewRoutes } from "./routes/preview.ts";
import { thumbnailRoutes } from "./routes/thumbnails.ts";
import { modelFileRoutes } from "./routes/model_files.ts";
import { playgroundRoutes } from "./routes/playground.ts";
import type { Services } from "./routes/services.ts";
import { subjectRoutes } from "./routes/subjects.ts";
import { verifyRoutes } from "./routes/verify.ts";

/** What the worker is made of. */
export interface AppDeps {
  model: ModelFiles;
  /** Of the model; proved by `selfTest` before. */
  embedder: Embedder;
  /** Of the model. */
  gallery: Gallery;
  /** Without keys, everybody on this machine may do everything, and nobody else anything. */
  keys?: KeySource | undefined;
  /** Origins whose pages may call, beside those of the keys; default none but the worker's own. */
  corsOrigins?: readonly string[];
  /** The largest body, in bytes; default 8 MiB. */
  maxBody?: number;
  /** How many images may wait while one is embedded; default 16. */
  queue?: number;
  /** Whether a small picture is kept of every image that is enrolled; default not. */
  thumbnails?: boolean;
  /** Default: nowhere. */
  log?: Log;
  /** Whether new requests are refused; default never. */
  isDraining?: () => boolean;
}

/**
 * The worker: images in, matches out.
 *
 * @example
 * ```ts
 * const app = createApp({ model, embedder, gallery });
 * Deno.serve({ hostname: "127.0.0.1" }, app.fetch);
 * ```
 */
export function createApp(deps: AppDeps) {
  const {
    model,
    embedder,
    gallery,
    keys,
    corsOrigins = [],
    maxBody = DEFAULT_MAX_BODY,
    thumbnails = false,
    log = () => {},
  } = deps;
  const queue = createQueue(deps.queue ?? DEFAULT_QUEUE);
  const { card } = model;
  const services: Services = {
    model,
    card,
    gallery,
    queue,
    thumbnails,
    embedImage: createImageEmbedder(embedder, card.input, queue),
    endpoint: createEndpoint(keys, maxBody),
  };
  const app = new Hono<Env>();
  app.use(requestLog(log));
  const metrics = createMetrics();
  app.use(metrics.count);
  app.use(drainBody());
  if (corsOrigins.length > 0 || keys !== undefined) app.use(cors(corsOptions(corsOrigins, keys)));
  if (deps.isDraining !== undefined) app.use(refuseWhile(deps.isDraining));
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
  app.onError((error, c) => {
    const requestId = c.get("requestId");
    const problem = problemOf(error, requestId);
    if (problem.status >= 500) {
      log({ level: "error", message: error.message, requestId, error: error.name, stack: error.stack });
    }
    return answerProblem(c, problem);
  });
  return withRoutes(app, services, metrics, keys !== undefined);
}

function withRoutes(app: Hono<Env>, services: Services, metrics: Metrics, needsKeys: boolean) {
  let document: OpenApiDocument | undefined;
  return app
    .route("/", matchRoutes(services))
    .route("/", verifyRoutes(services))
    .route("/", embedRoutes(services))
    .route("/", collectionRoutes(services))
    .route("/", subjectRoutes(services))
    .route("/", imageRoutes(services))
    .route("/", thumbnailRoutes(services))
    .route("/", mapRoutes(services))
    .route("/", previewRoutes(services))
    .route("/", modelRoutes(services))
    .route("/", modelFileRoutes(services))
    .route("/", clientRoutes(services))
    .route("/", healthRoutes(services))
    .route("/", metricsRoutes(services, metrics))
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
