/**
 * The client for frontends: in browsers, Deno, Node and Bun. The worker serves it as one ES module, `/client.js`.
 *
 * @example
 * ```ts
 * const client = createClient("https://worker.example", { key });
 * const { decision, matches } = await client.match(file, { k: 3 });
 * ```
 *
 * @module
 */
import { hc, type InferResponseType } from "hono/client";
import type { AppType } from "./app.ts";
import { canShrink, fileOf, type ImageInput, shrunk } from "./client/image.ts";
import type { LocalModel, openLocalModel } from "./client/local.ts";
import { ProblemError } from "./client/problem_error.ts";
import { orAborted, retrying } from "./client/retry.ts";
import type { ProblemBody } from "./middleware/problem.ts";

export { type ImageInput, ProblemError };

/** Calls every route of the worker, by Hono's RPC. */
export type Api = ReturnType<typeof hc<AppType>>;

/** How a client is made. */
export interface ClientOptions {
  /** Sent as `Authorization: Bearer KEY`. In a page, only one that is bound to the page's origin. */
  key?: string;
  /**
   * In a browser: whether to run the worker's model there and send only embeddings, so that images never leave the
   * device. The first match loads the model and the runtime, some megabytes that the browser keeps. A content security
   * policy must let the page load scripts from the worker, and have `'wasm-unsafe-eval'`.
   */
  embedLocally?: boolean;
}

/** What `/match` may be asked; see its description at `/docs`. */
export interface MatchOptions {
  collection?: string;
  /** How many subjects to answer. */
  k?: number;
  fmr?: number;
  maxDistance?: number;
  /** What a subject's metadata must contain. */
  filter?: Record<string, unknown>;
  excludeSubject?: string;
  /** Of a model of faces: which of the image's, by its number, of which the largest has 1; default the largest. */
  face?: "largest" | number;
  /** Aborts the request and the waiting for it. */
  signal?: AbortSignal;
}

/** What `/match` answers to one image. */
export type MatchAnswer = Extract<InferResponseType<Api["match"]["$post"], 200>, { matches: unknown }>;

type Model = InferResponseType<Api["model"]["$get"], 200>;

/** A worker, as a frontend uses it. */
export interface Client {
  /**
   * Who is on this image? A large one is drawn smaller first, where the runtime can; a 503 is waited out.
   *
   * @throws {ProblemError} with what the worker answered; {TypeError} if it cannot be reached; the reason of an abort
   */
  match(image: ImageInput, options?: MatchOptions): Promise<MatchAnswer>;
  /** All other routes, with the same key and the same patience. */
  api: Api;
}

/** @param url of the worker */
export function createClient(url: string | URL, { key, embedLocally = false }: ClientOptions = {}): Client {
  const worker = new URL(`${String(url).replace(/\/+$/, "")}/`);
  const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const patient = retrying((input, init) => fetch(input, init));
  const api: Api = hc<AppType>(worker.href, { headers, fetch: patient });
  const model = once(async () => await bodyOf(await api.model.$get()));
  const local = once(async (): Promise<LocalModel> => {
    const { fingerprint } = await model();
    const code: { openLocalModel: typeof openLocalModel } = await import(
      new URL("client/local.js", worker).href
    );
    return await code.openLocalModel(worker, fingerprint, (url) => patient(url, { headers }));
  });
  const embedded = async (file: Blob, { filter, signal, face }: MatchOptions) => {
    const { embed } = await orAborted(local(), signal);
    return { json: { ...await embed(new Uint8Array(await file.arrayBuffer()), face), ...filter && { filter } } };
  };
  const uploaded = async (file: Blob, { filter, signal }: MatchOptions) => {
    // Twice the size of the model's input is as good to it as more; faces are a part of the image.
    const shortSide = ({ domain, input }: Model) => domain === "face" ? 960 : 2 * Math.max(input.width, input.height);
    const fitting = canShrink() ? await shrunk(file, shortSide(await orAborted(model(), signal))) : file;
    return { form: { image: [new File([fitting], "image")], ...filter && { filter: JSON.stringify(filter) } } };
  };
  return {
    api,
    async match(image, options = {}) {
      const { signal, filter: _, face, ...others } = options;
      const asked = embedLocally ? others : { ...others, face };
      const file = await fileOf(image);
      const given = Object.entries(asked).filter(([, value]) => value !== undefined);
      const query = Object.fromEntries(given.map(([name, value]) => [name, String(value)]));
      const body = embedLocally ? await embedded(file, options) : await uploaded(file, options);
      const answer = await api.match.$post({ query, ...body }, signal && { init: { signal } });
      // What is sent is one image, and that has one answer, or one for each of its faces, the largest first.
      const found = await bodyOf(answer) as MatchAnswer | { faces: MatchAnswer[] };
      return "faces" in found ? found.faces[0] : found;
    },
  };
}

/** What is used of a response. */
interface Answered<Body> extends Pick<Response, "ok" | "status" | "statusText" | "url"> {
  json(): Promise<Body>;
}

/** @throws {ProblemError} if it is not what was asked for */
async function bodyOf<Body>(response: Answered<Body | ProblemBody>): Promise<Exclude<Body, ProblemBody>> {
  if (response.ok) return await response.json() as Exclude<Body, ProblemBody>;
  const { status, statusText, url } = response;
  const problem = await (response as Answered<ProblemBody>).json().catch((): ProblemBody => ({
    type: "about:blank",
    title: statusText,
    status,
    detail: `${url} answered ${status}, and not as a worker does.`,
    instance: new URL(url).pathname,
  }));
  throw new ProblemError(problem);
}

/** Does something when it is first needed, and again if that failed. */
function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () =>
    result ??= work().catch((error) => {
      result = undefined;
      throw error;
    });
}
