import { Hono } from "hono";
import { z } from "zod";
import { sha256 } from "../../shared/sha256.ts";
import { readWasmBinary, type WasmBinary } from "../../shared/wasm_modules.ts";
import { readAsset } from "../assets.ts";
import type { Contract } from "../contract/contract.ts";
import type { Env } from "../middleware/env.ts";
import { Problem } from "../middleware/problem.ts";
import type { Services } from "./services.ts";

/** What the model needs in a browser. */
const BINARIES = new Map(
  (["image", "jpeg", "png", "webp", "kernels", "kernelsRelaxed", "tfjs"] satisfies WasmBinary[]).map((name) => [
    `${name}.wasm`,
    fileOf(() => readWasmBinary(name)),
  ]),
);
const CLIENT = fileOf(() => readAsset("client/dist/client.js"));
const LOCAL = fileOf(() => readAsset("client/dist/local.js"));
const TFJS = fileOf(() => readAsset("client/dist/tfjs.js"));

/** A new version of the worker reaches pages within so many seconds. */
const CACHE_CONTROL = "max-age=600";

const IfNoneMatch = z.object({
  "if-none-match": z.string().optional().meta({ description: "The ETag of the file that the client has." }),
});

const SCRIPT = {
  headers: IfNoneMatch,
  answers: {
    200: {
      description: "An ES module.",
      bytes: "text/javascript; charset=utf-8",
      headers: ["cache-control", "etag"],
    },
    304: { description: "It is as the client has it.", headers: ["cache-control", "etag"] },
  },
  problems: [503],
} as const;

const CLIENT_SCRIPT = {
  ...SCRIPT,
  id: "clientScript",
  summary: "The client for frontends, as one ES module: `createClient`",
} as const satisfies Contract;

const LOCAL_SCRIPT = {
  ...SCRIPT,
  id: "localScript",
  summary: "What the client loads to compute embeddings in the browser",
} as const satisfies Contract;

const TFJS_SCRIPT = {
  ...SCRIPT,
  id: "tfjsScript",
  summary: "What it loads beside that for a model that only tfjs can run",
} as const satisfies Contract;

const BINARY = {
  ...SCRIPT,
  id: "clientBinary",
  summary: "A WebAssembly binary that it loads for that",
  params: z.object({ file: z.string().meta({ description: "Its name.", examples: [...BINARIES.keys()] }) }),
  answers: { ...SCRIPT.answers, 200: { ...SCRIPT.answers[200], description: "It.", bytes: "application/wasm" } },
  problems: [404, 503],
} as const satisfies Contract;

/** `/client.js` and what it loads: the client for browsers, which needs no key to be read. */
export function clientRoutes({ endpoint }: Pick<Services, "endpoint">) {
  return new Hono<Env>()
    .get("/client.js", endpoint(CLIENT_SCRIPT, async ({ headers }) => answerOf(await CLIENT(), headers)))
    .get("/client/local.js", endpoint(LOCAL_SCRIPT, async ({ headers }) => answerOf(await LOCAL(), headers)))
    .get("/client/tfjs.js", endpoint(TFJS_SCRIPT, async ({ headers }) => answerOf(await TFJS(), headers)))
    .get(
      "/client/:file",
      endpoint(BINARY, async ({ params, headers }) => {
        const binary = BINARIES.get(params.file);
        if (binary === undefined) throw new Problem(404, `The client has no file "${params.file}".`);
        return answerOf(await binary(), headers);
      }),
    );
}

interface File {
  body: Uint8Array<ArrayBuffer>;
  etag: string;
}

/** A file that is read when it is first asked for. */
function fileOf(read: () => Promise<Uint8Array<ArrayBuffer>>): () => Promise<File> {
  let file: Promise<File> | undefined;
  return () => file ??= read().then(async (body) => ({ body, etag: `"${await sha256(body)}"` }));
}

function answerOf({ body, etag }: File, { "if-none-match": known }: z.output<typeof IfNoneMatch>) {
  const headers = { "cache-control": CACHE_CONTROL, etag };
  const isKnown = known?.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag) ?? false;
  return isKnown ? { status: 304 as const, headers } : { status: 200 as const, body, headers };
}
