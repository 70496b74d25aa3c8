import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { z } from "zod";
import { GalleryError, ImageError, TriptychError, UsageError } from "../../shared/errors.ts";
import { OverloadedError } from "../embedder/queue.ts";
import { RepeatedKeyError, StaleError, UnknownError } from "../gallery/gallery.ts";
import type { Env } from "./env.ts";

const TITLES = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  412: "Precondition Failed",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  500: "Internal Server Error",
  503: "Service Unavailable",
} as const satisfies Partial<Record<ContentfulStatusCode, string>>;

/** The statuses of the worker's errors. */
export type ProblemStatus = keyof typeof TITLES;

/** An error that is meant for the client: its status, and one sentence on what is wrong and what to do. */
export class Problem extends TriptychError {
  override readonly name = "Problem";
  constructor(readonly status: ProblemStatus, detail: string, readonly headers: Record<string, string> = {}) {
    super(detail);
  }
}

/** The one place where errors become statuses. What is not expected becomes 500 and says nothing of its cause. */
export function problemOf(error: unknown, requestId: string): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof ImageError) return new Problem(error.fault === "unsupported" ? 415 : 422, error.message);
  if (error instanceof z.ZodError) return new Problem(400, sentenceOf(error));
  if (error instanceof UsageError) return new Problem(400, error.message);
  if (error instanceof UnknownError) return new Problem(404, error.message);
  if (error instanceof RepeatedKeyError) return new Problem(409, error.message);
  if (error instanceof StaleError) return new Problem(412, error.message);
  if (error instanceof OverloadedError) {
    return new Problem(503, error.message, { "retry-after": String(error.retryAfter) });
  }
  if (error instanceof GalleryError) {
    return new Problem(503, "The gallery cannot be written at present, and nothing was changed; try again later.", {
      "retry-after": "10",
    });
  }
  return new Problem(500, `Something unexpected failed; report it with the request id ${requestId}.`);
}

/** An RFC 9457 answer. */
export function answerProblem(c: Context<Env>, problem: Problem): Response {
  const { status, message: detail, headers } = problem;
  const body = { type: "about:blank", title: TITLES[status], status, detail, instance: c.req.path };
  return c.body(JSON.stringify(body), status, { "content-type": "application/problem+json", ...headers });
}

/**
 * One sentence of what a schema found first.
 *
 * @param whole the name of what was parsed, for a fault that is of no one field
 */
export function sentenceOf(error: z.ZodError, whole = "The request"): string {
  const { path, message } = error.issues[0];
  return `${path.length === 0 ? whole : `"${path.join(".")}"`} is not right: ${message}.`;
}
