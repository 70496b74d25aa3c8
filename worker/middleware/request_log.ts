import type { MiddlewareHandler } from "hono";
import { ulid } from "ulid";
import type { Env } from "./env.ts";

/** One line of the log: a request, an unexpected error of one, or what an operator should know. Never an image, an embedding, metadata or a key. */
export interface LogEntry {
  level: "info" | "warning" | "error";
  message: string;
  requestId?: string;
  [fact: string]: unknown;
}

/** Where the worker logs to. */
export type Log = (entry: LogEntry) => void;

/** Gives every request an id, the client's own if it sent a usable one, answers with it, and logs one line a request. */
export function requestLog(log: Log): MiddlewareHandler<Env> {
  return async (c, next) => {
    const given = c.req.header("x-request-id");
    const requestId = given !== undefined && /^[\w.-]{1,128}$/.test(given) ? given : ulid();
    c.set("requestId", requestId);
    const start = performance.now();
    await next();
    c.res.headers.set("x-request-id", requestId);
    const milliseconds = Math.round((performance.now() - start) * 10) / 10;
    log({
      level: "info",
      message: "request",
      requestId,
      method: c.req.method,
      path: c.req.path,
      status: c.res.status,
      milliseconds,
    });
  };
}

/** Writes a line of JSON: errors to the error output, all else to the standard output. */
export function logAsJson({ level, ...facts }: LogEntry): void {
  const line = JSON.stringify({ time: new Date().toISOString(), level, ...facts });
  if (level === "error") console.error(line);
  else console.log(line);
}
