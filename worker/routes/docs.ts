import { Hono } from "hono";
import { z } from "zod";
import type { Contract } from "../contract/contract.ts";
import type { OpenApiDocument } from "../contract/open_api.ts";
import { referencePage } from "../docs/page.ts";
import type { Env } from "../middleware/env.ts";
import { pageHeaders } from "./page_headers.ts";
import type { Services } from "./services.ts";

const DOCUMENT = {
  id: "openapi",
  summary: "This description of all routes",
  answers: {
    200: {
      description: "An OpenAPI 3.1 document.",
      json: z.custom<OpenApiDocument>().meta({ type: "object" }),
    },
  },
  problems: [503],
} as const satisfies Contract;

const DOCS = {
  id: "docs",
  summary: "The same as a page to read",
  answers: {
    200: {
      description: "A page that loads nothing from elsewhere.",
      text: "text/html; charset=utf-8",
      headers: ["content-security-policy", "referrer-policy"],
    },
  },
  problems: [503],
} as const satisfies Contract;

/** `GET /openapi.json` and `GET /docs`: what all routes take and answer. @param describe makes the document */
export function docsRoutes({ endpoint }: Pick<Services, "endpoint">, describe: () => OpenApiDocument) {
  return new Hono<Env>()
    .get("/openapi.json", endpoint(DOCUMENT, () => ({ status: 200, body: describe() })))
    .get(
      "/docs",
      endpoint(DOCS, async () => {
        const nonce = crypto.randomUUID();
        return { status: 200, body: await referencePage(describe(), nonce), headers: pageHeaders(nonce) };
      }),
    );
}
