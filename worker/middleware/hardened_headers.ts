import type { MiddlewareHandler } from "hono";
import type { Env } from "./env.ts";

/** What every answer says to a browser that shows it by itself: load nothing, run nothing, be in no frame, guess no type. */
const HARDENED = {
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** Who somebody is and what he looks like is in these. */
const PERSONAL = /^(application\/(problem\+)?json|image\/)/;

/** Sets the headers by which browsers do no more with an answer than they must, where a route has not set them itself. */
export function hardenedHeaders(): MiddlewareHandler<Env> {
  return async (c, next) => {
    await next();
    const { headers } = c.res;
    for (const [name, value] of Object.entries(HARDENED)) if (!headers.has(name)) headers.set(name, value);
    if (!headers.has("cache-control") && PERSONAL.test(headers.get("content-type") ?? "")) {
      headers.set("cache-control", "no-store");
    }
  };
}
