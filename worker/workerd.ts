/**
 * The worker for workerd, Cloudflare's runtime, which imports WebAssembly as modules and compiles none itself.
 *
 * @module
 */
import { parseModelFiles } from "../shared/model_files.ts";
import { takeWasmFrom, type WasmBinary } from "../shared/wasm_modules.ts";
import { type Asset, takeAssetsFrom } from "./assets.ts";
import { readConfig, VARIABLES } from "./config.ts";
import { openServiceHere } from "./embedder/service.ts";
import { emptyGallery } from "./gallery/memory.ts";
import { logAsJson } from "./middleware/request_log.ts";
import { startWorker, type Worker } from "./start.ts";

/** What was put beside the worker when it was built. */
export interface Modules {
  wasm: Record<WasmBinary, WebAssembly.Module>;
  /** The same as they are, for browsers. */
  binaries: Record<WasmBinary, ArrayBuffer>;
  assets: Record<Asset, ArrayBuffer>;
  /** The files of the model directory: JSON parsed, weights as bytes. */
  model: Record<string, unknown>;
}

/** The handler that workerd takes as a module's default export. The gallery lives as long as the isolate. */
export function createHandler({ wasm, binaries, assets, model }: Modules) {
  takeWasmFrom((name) => Promise.resolve(new Uint8Array(binaries[name])), (name) => Promise.resolve(wasm[name]));
  takeAssetsFrom((path) => Promise.resolve(new Uint8Array(assets[path])));
  let worker: Worker | undefined;
  return {
    async fetch(request: Request, env: Record<string, unknown>, context: ExecutionContext): Promise<Response> {
      // Nothing that takes time may run before the first request, and what one has begun ends with it if nobody says so.
      worker ??= start(model, env);
      context.waitUntil(worker.ready);
      await worker.ready;
      return worker.fetch(request);
    },
  };
}

/** What workerd gives with a request. */
interface ExecutionContext {
  waitUntil(promise: Promise<unknown>): void;
}

function start(model: Modules["model"], env: Record<string, unknown>): Worker {
  const texts = VARIABLES.map((name) => [name, typeof env[name] === "string" ? env[name] : undefined]);
  const config = readConfig({ ...Object.fromEntries(texts), TRIPTYCH_MODEL: "model", TRIPTYCH_GALLERY: "memory:" });
  return startWorker(config, {
    log: logAsJson,
    // deno-lint-ignore require-await
    readModel: () => parseModelFiles(async (name) => bytesOf(model[name]), "model"),
    openGallery: (card) => Promise.resolve(emptyGallery(card)),
    // A timer ends with the request that set it, and all that wait behind it would wait for good.
    openImages: async (model) => await openServiceHere(await model, () => Promise.resolve()),
  });
}

function bytesOf(file: unknown): Uint8Array<ArrayBuffer> {
  return file instanceof ArrayBuffer ? new Uint8Array(file) : new TextEncoder().encode(JSON.stringify(file));
}
