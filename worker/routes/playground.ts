import { Hono } from "hono";
import type { Contract } from "../contract/contract.ts";
import type { Env } from "../middleware/env.ts";
import { page } from "../playground/page.ts";
import { pageHeaders } from "./page_headers.ts";
import type { Services } from "./services.ts";

const PLAYGROUND = {
  id: "playground",
  summary: "A page to try it on",
  answers: {
    200: {
      description: "A page that loads nothing from elsewhere.",
      text: "text/html; charset=utf-8",
      headers: ["content-security-policy", "referrer-policy"],
    },
  },
  problems: [503],
} as const satisfies Contract;

/** `GET /`: the playground, which loads nothing from elsewhere. */
export function playgroundRoutes({ endpoint }: Pick<Services, "endpoint">) {
  return new Hono<Env>().get(
    "/",
    endpoint(PLAYGROUND, () => {
      const nonce = crypto.randomUUID();
      return { status: 200, body: page(nonce), headers: pageHeaders(nonce) };
    }),
  );
}
