import type { StatusCode } from "hono/utils/http-status";
import type { z } from "zod";
import type { Scope } from "../keys/key.ts";
import type { ProblemStatus } from "../middleware/problem.ts";

/** The headers of answers that the contract speaks of, and what they say. */
export const HEADERS = {
  "x-request-id": "Names the request in the worker's log: the id that the client sent, or a new one.",
  allow: "The methods that the path takes.",
  etag: "What it is at this moment: of a subject for If-Match, of a file for If-None-Match.",
  "cache-control": "How long the client may keep it.",
  "server-timing": "How long the parts of the work took, in milliseconds.",
  "retry-after": "Seconds after which to try again.",
  ratelimit: 'How many requests the key has left, and for how many seconds: `"key";r=59;t=30`.',
  "ratelimit-policy": 'How many requests a key may make in how many seconds: `"key";q=60;w=60`.',
  "www-authenticate": "How to send a key, and what is wrong with the one that was sent.",
  "content-security-policy": "What the page may load: nothing from elsewhere.",
  "referrer-policy": "That the page tells no other where it is.",
} as const;

/** The name of a header that the contract speaks of. */
export type HeaderName = keyof typeof HEADERS;

/** The statuses of the errors that any route can answer: the address may be malformed, the client not let in. */
export const EVERY_PROBLEM = [400, 403] as const satisfies ProblemStatus[];

/** Those of a route that needs a key. */
export const KEY_PROBLEMS = [401, 429] as const satisfies ProblemStatus[];

/** Those of a route that takes a body. */
export const BODY_PROBLEMS = [408, 413, 415] as const satisfies ProblemStatus[];

/** Those of a route that changes the gallery. */
export const CHANGE_PROBLEMS = [405] as const satisfies ProblemStatus[];

/** How a body may arrive: at least one of the ways. */
export interface BodyContract {
  /** As the bytes of an image file, whatever image type is announced: the bytes themselves say what they are. */
  readonly image?: true;
  /** As `multipart/form-data`. A field of which there may be several has an array as its schema. */
  readonly form?: z.ZodObject;
  /** As JSON. */
  readonly json?: z.ZodType;
  /** Whether there may be none: then it is as `{}`. */
  readonly optional?: true;
}

/** What is answered with a status: JSON, a text, bytes, or nothing. */
export interface AnswerContract {
  readonly description: string;
  readonly json?: z.ZodType;
  /** The media type of a text. */
  readonly text?: string;
  /** The media type of bytes. */
  readonly bytes?: string;
  /** Headers that it always has, beside `x-request-id`. */
  readonly headers?: readonly HeaderName[];
}

/** What a route takes and answers: checked of requests, known of answers by their types, told by `/openapi.json`. */
export interface Contract {
  /** Its name in the OpenAPI document. */
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  /** The scope that a key needs; without one, everybody is let in. */
  readonly scope?: Scope;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  readonly body?: BodyContract;
  readonly answers: { readonly [S in StatusCode]?: AnswerContract };
  /** That it changes the gallery, which may be read-only: with the methods that its path takes nevertheless. */
  readonly changes?: { readonly otherMethods: readonly string[] };
  /** The statuses of its errors, beside those that follow from the rest. */
  readonly problems?: readonly ProblemStatus[];
}

/** The statuses of all errors that a route can answer, ascending. */
export function problemsOf({ scope, body, changes, problems = [] }: Contract): ProblemStatus[] {
  const needed: readonly ProblemStatus[] = scope === undefined ? [] : KEY_PROBLEMS;
  const taken: readonly ProblemStatus[] = body === undefined ? [] : BODY_PROBLEMS;
  const refused: readonly ProblemStatus[] = changes === undefined ? [] : CHANGE_PROBLEMS;
  return [...EVERY_PROBLEM, ...needed, ...taken, ...refused, ...problems].sort((a, b) => a - b);
}
