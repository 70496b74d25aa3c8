import { Hono } from "hono";
import { z } from "zod";
import type { Contract } from "../contract/contract.ts";
import type { Env } from "../middleware/env.ts";
import { type Asset, ASSETS, readAsset } from "../assets.ts";
import { Problem } from "../middleware/problem.ts";
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

const MODULE = {
  id: "playgroundModule",
  summary: "A part of the program of that page",
  params: z.object({ file: z.string().min(1).meta({ description: "The name of the module's file." }) }),
  answers: { 200: { description: "A JavaScript module.", text: "text/javascript; charset=utf-8" } },
  problems: [404, 503],
} as const satisfies Contract;

/** `GET /`: the playground, which loads nothing from elsewhere. */
export function playgroundRoutes({ endpoint, gallery, thumbnails, card }: Services) {
  return new Hono<Env>()
    .get(
      "/",
      endpoint(PLAYGROUND, () => {
        const nonce = crypto.randomUUID(), isOfFaces = card.domain === "face";
        return {
          status: 200,
          body: page(nonce, { thumbnails, isReadOnly: gallery.isReadOnly === true, isOfFaces }),
          headers: pageHeaders(nonce, { runsWasm: isOfFaces }),
        };
      }),
    )
    .get(
      "/playground/:file",
      endpoint(MODULE, async ({ params: { file } }) => {
        const path = ASSETS.find((asset): asset is Asset => asset === `playground/${file}`);
        if (path === undefined) throw new Problem(404, `The playground has no part "${file}"; it begins at /.`);
        return { status: 200, body: new TextDecoder().decode(await readAsset(path)) };
      }),
    );
}
