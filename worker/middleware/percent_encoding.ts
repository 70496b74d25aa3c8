import type { MiddlewareHandler } from "hono";
import type { Env } from "./env.ts";
import { Problem } from "./problem.ts";

/** Refuses addresses that cannot be decoded, such as `/collections/%ZZ`, where a name would otherwise be taken as it stands. */
export function percentEncoding(): MiddlewareHandler<Env> {
  return async (c, next) => {
    try {
      decodeURIComponent(c.req.url);
    } catch {
      throw new Problem(400, "The address is not percent-encoded UTF-8; write a percent sign itself as %25.");
    }
    await next();
  };
}
