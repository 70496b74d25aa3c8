import { z } from "zod";
import type { Card } from "../../shared/card.ts";
import { GalleryError, messageOf } from "../../shared/errors.ts";
import { retrying } from "../../worker/client/retry.ts";
import type { Destination } from "./destination.ts";

/** How many requests are under way at once. The worker writes together what arrives together. */
const REQUESTS = 16;

const Model = z.object({ fingerprint: z.string() });
const Subject = z.object({ images: z.array(z.object({ image: z.string() })) });
const Enrolment = z.object({ image: z.string() });
const Problem = z.object({ detail: z.string() });

/**
 * Opens a collection of a running worker, to which embeddings are sent.
 *
 * @param url of the worker
 * @throws {GalleryError} if it cannot be reached, runs another model, or refuses the key
 */
export async function openWorker(
  url: string,
  collection: string,
  { fingerprint }: Pick<Card, "fingerprint">,
  key: string | undefined,
): Promise<Destination> {
  const worker = url.replace(/\/+$/, "");
  const patient = retrying((input, init) => fetch(input, init));
  const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const ask = async (path: string, init: { method?: string; headers?: Record<string, string>; body?: string } = {}) => {
    for (;;) {
      const response = await send(() =>
        patient(`${worker}${path}`, { ...init, headers: { ...headers, ...init.headers } })
      );
      if (response.status !== 429) return response;
      await response.body?.cancel();
      await new Promise((resolve) => setTimeout(resolve, 1000 * Number(response.headers.get("retry-after") ?? 1)));
    }
  };
  const send = async (request: () => Promise<Response>) => {
    try {
      return await request();
    } catch (error) {
      throw new GalleryError(
        `Cannot reach the worker at ${worker}: ${messageOf(error)}; check --gallery, and run the command again.`,
      );
    }
  };
  const bodyOf = async <T>(response: Response, schema: z.ZodType<T>): Promise<T> => {
    const body: unknown = await response.json().catch(() => undefined);
    const parsed = schema.safeParse(body);
    if (response.ok && parsed.success) return parsed.data;
    const problem = Problem.safeParse(body);
    throw new GalleryError(
      `The worker at ${worker} answered ${response.status}: ${
        problem.success ? problem.data.detail : "it does not answer as a worker does; check --gallery."
      }`,
    );
  };
  const assertModel = async () => {
    const model = await bodyOf(await ask("/model"), Model);
    if (model.fingerprint === fingerprint) return;
    throw new GalleryError(
      `The worker at ${worker} runs the model ${short(model.fingerprint)}, and --model is ${
        short(fingerprint)
      }; give the directory of the worker's model.`,
    );
  };
  const path = (subject: string) =>
    `/collections/${encodeURIComponent(collection)}/subjects/${encodeURIComponent(subject)}`;
  await assertModel();
  return {
    batch: REQUESTS,
    async images(subject) {
      const response = await ask(path(subject));
      if (response.status !== 404) return (await bodyOf(response, Subject)).images;
      await response.body?.cancel();
      return [];
    },
    async add(subject, key, embedding) {
      const response = await ask(`${path(subject)}/images`, {
        method: "POST",
        headers: { "content-type": "application/json", "idempotency-key": key },
        body: JSON.stringify({ embedding: [...embedding], fingerprint }),
      });
      if (response.status !== 409) return (await bodyOf(response, Enrolment)).image;
      await response.body?.cancel();
      // Either the worker has another model by now, or it has the key.
      await assertModel();
      return null;
    },
    close: () => Promise.resolve(),
  };
}

function short(fingerprint: string): string {
  return fingerprint.slice(0, 19);
}
