import type { Context, Handler, TypedResponse } from "hono";
import type { StatusCode } from "hono/utils/http-status";
import type { z } from "zod";
import type { Env } from "../middleware/env.ts";
import { assertPermitted, authorize } from "../keys/authorize.ts";
import { type Caller, callerOf, EVERYBODY } from "../keys/caller.ts";
import type { KeySource, Scope } from "../keys/key.ts";
import { createRateLimiter } from "../keys/rate_limit.ts";
import { ReadOnlyError } from "../gallery/gallery.ts";
import { Problem, type ProblemBody, type ProblemStatus } from "../middleware/problem.ts";
import type {
  BODY_PROBLEMS,
  BodyContract,
  CHANGE_PROBLEMS,
  Contract,
  EVERY_PROBLEM,
  HeaderName,
  KEY_PROBLEMS,
} from "./contract.ts";
import { readContent } from "./content.ts";
import { parse } from "./parse.ts";

/** What a handler gets of a request: what its contract names, parsed. */
export interface RequestOf<C extends Contract> extends Caller {
  params: Parsed<C["params"]>;
  query: Parsed<C["query"]>;
  headers: Parsed<C["headers"]>;
  body: BodyOf<C["body"]>;
  /** Aborts when the client goes away, where the runtime tells. */
  signal: AbortSignal;
}

/** A body, in the way that it arrived. */
export type BodyOf<B> =
  | (B extends { image: true } ? { kind: "image"; image: Uint8Array<ArrayBuffer> } : never)
  | (B extends { form: infer F extends z.ZodType } ? { kind: "form"; form: z.output<F> } : never)
  | (B extends { json: infer J extends z.ZodType } ? { kind: "json"; json: z.output<J> } : never);

/** What a handler answers: one of the statuses of its contract, with the body and the headers that belong to it. */
export type AnswerOf<C extends Contract> = {
  [S in keyof C["answers"] & StatusCode]:
    & { status: S }
    & (C["answers"][S] extends { json: infer J extends z.ZodType } ? { body: z.output<J> }
      : C["answers"][S] extends { text: string } ? { body: string }
      : C["answers"][S] extends { bytes: string } ? { body: Uint8Array<ArrayBuffer> }
      : { body?: undefined })
    & (C["answers"][S] extends { headers: readonly (infer H extends HeaderName)[] } ? { headers: Record<H, string> }
      : { headers?: undefined });
}[keyof C["answers"] & StatusCode];

/** A route's handler for Hono, whose type tells a client (`hc`) what it may send and what comes back. */
export type EndpointHandler<C extends Contract> =
  & Handler<Env, string, { in: ClientInput<C>; out: ClientInput<C> }, Promise<ResponseOf<C>>>
  & { contract: Contract };

/** Makes the handler of a route out of its contract and what it does. */
export type Endpoint = <const C extends Contract>(
  contract: C,
  handle: (request: RequestOf<C>) => AnswerOf<C> | Promise<AnswerOf<C>>,
) => EndpointHandler<C>;

/**
 * Lets handlers see only requests that keep to their contract.
 *
 * @param keys undefined lets everybody in
 * @param maxBody bytes
 * @param isReadOnly whether what changes the gallery is refused, before its body is read
 * @param assertRoom throws if an image could not be worked on now, before it is read
 */
export function createEndpoint(
  keys: KeySource | undefined,
  maxBody: number,
  isReadOnly = false,
  assertRoom = () => {},
): Endpoint {
  const takeOne = createRateLimiter("key"), takeOneOfSubject = createRateLimiter("subject");
  const admit = async (c: Context<Env>, scope: Scope): Promise<Caller> => {
    if (keys === undefined) return EVERYBODY;
    const credentials = { authorization: c.req.header("authorization"), origin: c.req.header("origin") };
    const key = authorize(await keys(), scope, credentials);
    for (const [name, value] of Object.entries(takeOne(key))) c.header(name, value);
    return callerOf(key, takeOneOfSubject);
  };
  return (contract, handle) => {
    const handler = async (c: Context<Env>) => {
      const caller = contract.scope === undefined ? EVERYBODY : await admit(c, contract.scope);
      const params = contract.params && parse(contract.params, c.req.param(), "The path");
      const query = contract.query && parse(contract.query, queryOf(c), "The query");
      const collection = params?.collection ?? query?.collection;
      if (typeof collection === "string") assertPermitted(caller.permits, collection);
      if (isReadOnly && contract.changes !== undefined) {
        throw new Problem(405, new ReadOnlyError().message, { allow: contract.changes.otherMethods.join(", ") });
      }
      const headers = contract.headers && parse(contract.headers, c.req.header(), "The header");
      const body = contract.body && await readContent(c, contract.body, maxBody, assertRoom);
      const request = { params, query, headers, body, ...caller, signal: c.req.raw.signal };
      // What has passed the contract's schemas is of the types that are inferred from them.
      const answer = await handle(request as RequestOf<typeof contract>);
      return respond(c, contract.answers, answer as Answer) as unknown as ResponseOf<typeof contract>;
    };
    return Object.assign(handler, { contract });
  };
}

/** @throws {Problem} 400 if a parameter is given twice, of which two readers could take different ones */
function queryOf(c: Context<Env>): Record<string, string> {
  const given = Object.entries(c.req.queries());
  const twice = given.find(([, values]) => values.length > 1);
  if (twice !== undefined) throw new Problem(400, `"${twice[0].slice(0, 64)}" is given more than once; give it once.`);
  return Object.fromEntries(given.map(([name, [value]]) => [name, value]));
}

interface Answer {
  status: StatusCode;
  body?: unknown;
  headers?: Record<string, string>;
}

function respond(c: Context<Env>, answers: Contract["answers"], { status, body, headers = {} }: Answer): Response {
  const { json, text, bytes } = answers[status] ?? {};
  if (json !== undefined) {
    return c.newResponse(JSON.stringify(body), status, { "content-type": "application/json", ...headers });
  }
  if (text !== undefined) return c.newResponse(String(body), status, { "content-type": text, ...headers });
  if (bytes !== undefined) {
    return c.newResponse(body as Uint8Array<ArrayBuffer>, status, { "content-type": bytes, ...headers });
  }
  return c.newResponse(null, status, headers);
}

type Parsed<S> = S extends z.ZodType ? z.output<S> : undefined;

type ResponseOf<C extends Contract> =
  | {
    [S in keyof C["answers"] & StatusCode]: C["answers"][S] extends { json: infer J extends z.ZodType }
      ? TypedResponse<z.output<J>, S, "json">
      : C["answers"][S] extends { text: string } ? TypedResponse<string, S, "text">
      : TypedResponse<null, S, "body">;
  }[keyof C["answers"] & StatusCode]
  | TypedResponse<ProblemBody, ProblemsOf<C>, "json">;

type ProblemsOf<C extends Contract> =
  | (typeof EVERY_PROBLEM)[number]
  | (C["scope"] extends string ? (typeof KEY_PROBLEMS)[number] : never)
  | (C["body"] extends BodyContract ? (typeof BODY_PROBLEMS)[number] : never)
  | (C["changes"] extends { otherMethods: readonly string[] } ? (typeof CHANGE_PROBLEMS)[number] : never)
  | (C["problems"] extends readonly (infer S extends ProblemStatus)[] ? S : never);

type ClientInput<C extends Contract> =
  & Sent<"query", C["query"]>
  & Sent<"header", C["headers"]>
  & (C["body"] extends { form: infer F extends z.ZodType } ? { form?: z.input<F> } : Nothing)
  & (C["body"] extends { json: infer J extends z.ZodType } ? { json?: z.input<J> } : Nothing);

type Nothing = Record<never, never>;

/** A part of a request in the form in which it is sent; it may be left out if all of it may. */
type Sent<Name extends string, S> = S extends z.ZodType
  ? Nothing extends z.input<S> ? { [N in Name]?: z.input<S> } : { [N in Name]: z.input<S> }
  : Nothing;
