import type { MiddlewareHandler } from "hono";
import type { Env } from "./env.ts";
import { Problem } from "./problem.ts";

/**
 * For a worker without keys: refuses what comes from another machine, and from web pages of other origins that the browser
 * of this machine shows.
 *
 * @param origins those whose pages may call
 */
export function localOnly(origins: readonly string[]): MiddlewareHandler<Env> {
  return async (c, next) => {
    // Hono passes on what `fetch` was given: nothing, where the request does not come from a server.
    const peer = (c.env as Env["Bindings"] | undefined)?.remoteAddr;
    if (peer !== undefined && "hostname" in peer && !isLoopback(peer.hostname)) {
      throw new Problem(
        403,
        "Without keys this worker answers its own machine alone; set TRIPTYCH_KEYS to open it to others.",
      );
    }
    const origin = c.req.header("origin");
    if (origin !== undefined && !origins.includes(origin) && hostOf(origin) !== c.req.header("host")) {
      throw new Problem(403, `Pages of ${origin} may not call this worker; add that origin to TRIPTYCH_CORS_ORIGINS.`);
    }
    await next();
  };
}

function isLoopback(address: string): boolean {
  return address === "::1" || /^(::ffff:)?127\./.test(address);
}

function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null;
}
