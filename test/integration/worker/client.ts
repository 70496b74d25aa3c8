import type { Embedder } from "../../../worker/embedder/embedder.ts";
import { type AppDeps, type AppType, createApp } from "../../../worker/app.ts";
import { createImageJobs } from "../../../worker/embedder/image_jobs.ts";
import { type Look, wholeImage } from "../../../worker/embedder/look.ts";
import { createTfjsEmbedder } from "../../../worker/embedder/tfjs.ts";
import type { Gallery } from "../../../worker/gallery/gallery.ts";
import { createIndexedGallery } from "../../../worker/gallery/indexed.ts";
import { createMemoryGallery } from "../../../worker/gallery/memory.ts";
import { Records } from "../../../worker/gallery/records.ts";
import type { LogEntry } from "../../../worker/middleware/request_log.ts";
import { contractCheck } from "../../support/contract.ts";
import { tinyModel } from "./tiny_model.ts";

/** An answer, read. */
export interface Answer {
  status: number;
  headers: Headers;
  // deno-lint-ignore no-explicit-any
  body: any;
}

/** A field of a form: a file, or a text. */
export type FormValue = Uint8Array<ArrayBuffer> | string;

/** How a request is made: `image` is a raw body, `json` one of JSON. */
export interface Call {
  image?: Uint8Array<ArrayBuffer>;
  json?: unknown;
  form?: Record<string, FormValue | FormValue[]>;
  body?: BodyInit;
  headers?: Record<string, string>;
}

/** Calls something that answers requests. */
export type Client = (route: string, call?: Call) => Promise<Answer>;

/**
 * A client of a worker.
 *
 * @param fetch as `app.fetch`; the default goes over the network
 * @returns takes a method and a path, as in `POST /match`
 */
export function clientOf(
  base: string,
  fetch: (request: Request) => Response | Promise<Response> = globalThis.fetch,
): Client {
  return async (route, { image, json, form, body, headers = {} } = {}) => {
    const [method, path] = route.split(" ");
    const init: RequestInit = { method, headers, ...body !== undefined && { body } };
    if (image !== undefined) Object.assign(init, { body: image, headers: { "content-type": "image/png", ...headers } });
    if (json !== undefined) {
      Object.assign(init, { body: JSON.stringify(json), headers: { "content-type": "application/json", ...headers } });
    }
    if (form !== undefined) {
      const data = new FormData();
      for (const [name, values] of Object.entries(form)) {
        for (const value of [values].flat()) data.append(name, typeof value === "string" ? value : new Blob([value]));
      }
      init.body = data;
    }
    const response = await fetch(new Request(base + path, init));
    const text = await response.text();
    const isJson = /json/.test(response.headers.get("content-type") ?? "");
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  };
}

export const model = await tinyModel();
export const embedder: Embedder = await createTfjsEmbedder(model);

/** What an empty gallery of the tiny model holds. */
export const snapshot = {
  fingerprint: model.card.fingerprint,
  dimensions: model.card.embedding.dimensions,
  collections: [],
};

/** An empty gallery whose store takes so many changes and fails from then on. */
export function brokenGallery(error: Error, changes = 0): Gallery {
  const transact = (make: () => void) => (make(), changes-- > 0 ? Promise.resolve() : Promise.reject(error));
  return createIndexedGallery({ records: new Records(Date.now), store: { transact }, now: Date.now });
}

function inProcess(app: AppType): Client {
  return clientOf("http://localhost", (request) => app.fetch(request));
}

/** What an app is made of, if not of the tiny model: with another embedder, its images are worked on in this thread too. */
type TestDeps = Partial<AppDeps> & { embedder?: Embedder; look?: Look };

function appOf({ embedder: own = embedder, look, ...deps }: TestDeps): AppType {
  const { card } = deps.model ?? model;
  const images = { jobs: createImageJobs(own, look ?? wholeImage(card), card.input), width: 1 };
  const served = { ...model, readWeights: () => Promise.resolve(model.weights) };
  return createApp({ model: served, images, gallery: createMemoryGallery({ snapshot }), ...deps });
}

/** An app of the tiny model with an empty gallery, and what it logs. Its answers are held to its contract. */
export function newApp(deps: TestDeps = {}): { call: Client; log: LogEntry[]; app: AppType } {
  const log: LogEntry[] = [];
  const app = appOf({ log: (entry) => log.push(entry), ...deps });
  const client = inProcess(app);
  const call: Client = async (route, call) => {
    const answer = await client(route, call);
    contract.assertKept(route, answer);
    return answer;
  };
  return { call, log, app };
}

/** What the worker's OpenAPI document says of its answers. */
export const contract = contractCheck((await inProcess(appOf({}))("GET /openapi.json")).body);
