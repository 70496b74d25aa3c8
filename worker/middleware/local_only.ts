import type { MiddlewareHandler } from "hono";
import type { Env } from "./env.ts";
import { Problem } from "./problem.ts";

/** The names under which a machine reaches itself; a page may have any other one point to it (DNS rebinding). */
const LOCAL_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;

/**
 * For a worker without keys: refuses what comes from another machine, what names another machine as its host, and what
 * comes from web pages of other origins that the browser of this machine shows. A page that was opened from a file has the
 * origin `null`.
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
    // A request that did not come over a network has no Host header.
    const host = c.req.header("host") ?? new URL(c.req.url).host;
    if (!LOCAL_HOST.test(host)) {
      throw new Problem(
        403,
        `Without keys this worker answers as localhost, 127.0.0.1 or [::1] alone, not as ${host}; use one of these, or set TRIPTYCH_KEYS.`,
      );
    }
    const origin = c.req.header("origin");
    if (origin !== undefined && !origins.includes(origin) && hostOf(origin) !== host) {
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
