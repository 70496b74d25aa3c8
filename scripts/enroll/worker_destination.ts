import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import type { Card } from "../../shared/card.ts";
import { GalleryError, messageOf } from "../../shared/errors.ts";
import { retrying } from "../../worker/client/retry.ts";
import type { Destination } from "./destination.ts";

/** How many requests are under way at once. The worker writes together what arrives together. */
const REQUESTS = 16;

const Subject = z.object({ images: z.array(z.object({ image: z.string() })) });
/** Or what waits for a review: it is with the worker, and sent no more. */
const Enrolment = z.union([z.object({ image: z.string() }), z.object({ review: z.string() })]);
const Problem = z.object({ detail: z.string() });

/**
 * Opens a collection of a running worker, to which embeddings are sent.
 *
 * @param url of the worker
 * @param key with the scope `enroll`, if the worker has keys
 * @throws {GalleryError} if it cannot be reached, runs another model, or refuses the key
 */
export async function openWorker(
  url: string,
  collection: string,
  { fingerprint }: Pick<Card, "fingerprint">,
  key: string | undefined,
): Promise<Destination> {
  const ask = requester(url.replace(/\/+$/, ""), key);
  const path = (subject: string) =>
    `/collections/${encodeURIComponent(collection)}/subjects/${encodeURIComponent(subject)}`;
  const post = (subject: string, embedding: Iterable<number>, headers = {}) =>
    ask(`${path(subject)}/images`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ embedding: [...embedding], fingerprint }),
    });
  /** Nothing can be enrolled of no numbers; but a worker says first if it would not take any of this model. */
  const assertModel = async () => {
    const response = await post("none", []);
    if (response.status !== 422) await refuse(response);
    await response.body?.cancel();
  };
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
      const response = await post(subject, embedding, { "idempotency-key": key });
      if (response.status !== 409) {
        const enrolment = await bodyOf(response, Enrolment);
        return "image" in enrolment ? enrolment.image : enrolment.review;
      }
      await response.body?.cancel();
      // Either the worker has another model by now, or it has the key.
      await assertModel();
      return null;
    },
    close: () => Promise.resolve(),
  };
}

/** Sends requests to a worker, and waits as long as it asks for. */
function requester(worker: string, key: string | undefined) {
  const patient = retrying((input, init) => fetch(input, init));
  const authorization = key === undefined ? {} : { authorization: `Bearer ${key}` };
  return async function ask(
    path: string,
    { headers = {}, ...init }: { method?: string; headers?: Record<string, string>; body?: string } = {},
  ): Promise<Response> {
    for (;;) {
      const response = await patient(`${worker}${path}`, { ...init, headers: { ...authorization, ...headers } })
        .catch((error) => {
          throw new GalleryError(
            `Cannot reach the worker at ${worker}: ${messageOf(error)}; check --gallery, and run the command again.`,
          );
        });
      if (response.status !== 429) return response;
      await response.body?.cancel();
      await delay(1000 * (Number(response.headers.get("retry-after")) || 1));
    }
  };
}

async function bodyOf<T>(response: Response, schema: z.ZodType<T>): Promise<T> {
  const parsed = response.ok ? schema.safeParse(await response.json().catch(() => undefined)) : undefined;
  return parsed?.success ? parsed.data : await refuse(response);
}

/** @throws {GalleryError} with what the worker says */
async function refuse(response: Response): Promise<never> {
  const body = response.bodyUsed ? undefined : await response.json().catch(() => undefined);
  const { data } = Problem.safeParse(body);
  throw new GalleryError(
    `${new URL(response.url).origin} answered ${response.status}: ${
      data?.detail ?? "it does not answer as a worker does; check --gallery."
    }`,
  );
}
