import { Hono } from "hono";
import { createEndpoint } from "./contract/endpoint.ts";
import type { Env } from "./middleware/env.ts";
import { answerErrors } from "./middleware/problem.ts";
import { type Log, requestLog } from "./middleware/request_log.ts";
import { healthRoutes, type WorkerState } from "./routes/health.ts";

/** What answers for the health of a worker that has no model yet. */
export function createLoadingApp(log: Log, state: () => WorkerState): Hono<Env> {
  return new Hono<Env>()
    .use(requestLog(log))
    .onError(answerErrors(log))
    .route("/", healthRoutes({ endpoint: createEndpoint(undefined, 0) }, state));
}
