import type { Context, ErrorHandler } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { z } from "zod";
import { FACE_FAULTS, GalleryError, ImageError, TriptychError } from "../../shared/errors.ts";
import { ClientGoneError, OverloadedError } from "../embedder/queue.ts";
import { RepeatedKeyError, StaleError, StorageFullError, UnknownError } from "../gallery/gallery.ts";
import { KeysError } from "../keys/key.ts";
import type { Env } from "./env.ts";
import type { Log } from "./request_log.ts";

/** What each status says of itself (RFC 9110, and RFC 4918 for 507). */
export const TITLES = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  412: "Precondition Failed",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
  507: "Insufficient Storage",
} as const satisfies Partial<Record<ContentfulStatusCode, string>>;

/** The statuses of the worker's errors. */
export type ProblemStatus = keyof typeof TITLES;

/** An error that is meant for the client: its status, and one sentence on what is wrong and what to do. */
export class Problem extends TriptychError {
  override readonly name = "Problem";
  /** @param type what kind of error it is, where the status does not say it */
  constructor(
    readonly status: ProblemStatus,
    detail: string,
    readonly headers: Record<string, string> = {},
    readonly type: ProblemBody["type"] = "about:blank",
  ) {
    super(detail);
  }
}

/** The one place where errors become statuses. What is not expected becomes 500 and says nothing of its cause. */
export function problemOf(error: unknown, requestId: string): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof ImageError) {
    const type = FACE_FAULTS.find((fault) => fault === error.fault);
    return new Problem(error.fault === "unsupported" ? 415 : 422, error.message, {}, type);
  }
  if (error instanceof UnknownError) return new Problem(404, error.message);
  if (error instanceof RepeatedKeyError) return new Problem(409, error.message);
  if (error instanceof StaleError) return new Problem(412, error.message);
  if (error instanceof StorageFullError) {
    return new Problem(507, "The gallery has no room left, and nothing was changed; make room, then send it again.");
  }
  if (error instanceof OverloadedError) {
    return new Problem(503, error.message, { "retry-after": String(error.retryAfter) });
  }
  if (error instanceof ClientGoneError) return new Problem(400, error.message);
  if (error instanceof KeysError) {
    return new Problem(503, "The keys cannot be read at present, so nobody is let in; try again later.", {
      "retry-after": "10",
    });
  }
  if (error instanceof GalleryError) {
    return new Problem(503, "The gallery cannot be written at present, and nothing was changed; try again later.", {
      "retry-after": "10",
    });
  }
  return new Problem(500, `Something unexpected failed; report it with the request id ${requestId}.`);
}

/** An error as RFC 9457 writes it. */
export const ProblemBody = z.object({
  type: z.enum(["about:blank", ...FACE_FAULTS]).meta({
    description: "What kind of error it is; about:blank where the status says it.",
  }),
  title: z.string(),
  status: z.int().min(400).max(599),
  detail: z.string().meta({ description: "What is wrong and what to do, in a sentence." }),
  instance: z.string().meta({ format: "uri-reference", description: "The path that was asked for." }),
}).meta({ id: "Problem" });
export type ProblemBody = z.infer<typeof ProblemBody>;

/** @param instance the path that was asked for */
export function problemBody({ type, status, message: detail }: Problem, instance: string): ProblemBody {
  return { type, title: TITLES[status], status, detail, instance };
}

/** An RFC 9457 answer. */
export function answerProblem(c: Context<Env>, problem: Problem): Response {
  const headers = { "content-type": "application/problem+json", ...problem.headers };
  return c.body(JSON.stringify(problemBody(problem, pathOf(c.req.url))), problem.status, headers);
}

/** Answers whatever was thrown as a problem, and logs what is not the client's doing. */
export function answerErrors(log: Log): ErrorHandler<Env> {
  return (error, c) => {
    const requestId = c.get("requestId");
    const problem = problemOf(error, requestId);
    if (problem.status >= 500 && problem !== error) {
      log({ level: "error", message: error.message, requestId, error: error.name, stack: error.stack });
    }
    return answerProblem(c, problem);
  };
}

/** The path of a URL as RFC 3986 would have it written, whatever a client wrote. */
function pathOf(url: string): string {
  return new URL(url).pathname.replace(/%(?![0-9a-f]{2})|[^\w.~!$&'()*+,;=:@/%-]/gi, encodeURIComponent);
}
