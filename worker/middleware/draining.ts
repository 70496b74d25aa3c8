import type { MiddlewareHandler } from "hono";
import type { Env } from "./env.ts";
import { Problem } from "./problem.ts";

/** Refuses new requests with 503 while the worker finishes those under way; those for its health are still answered. */
export function refuseWhile(isDraining: () => boolean): MiddlewareHandler<Env> {
  return async (c, next) => {
    if (isDraining() && !c.req.path.startsWith("/health/")) {
      throw new Problem(503, "The worker is shutting down; send the request to another.", {
        "retry-after": "1",
        connection: "close",
      });
    }
    await next();
  };
}
