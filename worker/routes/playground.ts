import { Hono } from "hono";
import type { Env } from "../middleware/env.ts";
import { page } from "../playground/page.ts";

/** `GET /`: the playground, which loads nothing from elsewhere. */
export function playgroundRoutes(): Hono<Env> {
  return new Hono<Env>().get("/", (c) => {
    const nonce = crypto.randomUUID();
    c.header(
      "content-security-policy",
      `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    );
    c.header("referrer-policy", "no-referrer");
    return c.html(page(nonce));
  });
}
