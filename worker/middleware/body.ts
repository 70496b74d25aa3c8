import type { Context, MiddlewareHandler } from "hono";
import type { Env } from "./env.ts";
import { Problem } from "./problem.ts";

/** How much of a refused body is read on, and for how long, so that the client gets to read the answer. */
const DRAIN_BYTES = 64 << 20;
const DRAIN_MILLISECONDS = 5_000;

/** A body must bring so much in every span of time until it ends, which the slowest of mobile networks do. */
const PACE = { milliseconds: 5_000, bytes: 32 << 10 };
const TOO_SLOW = "The body arrives too slowly; send it again over a better connection.";

/**
 * Reads and drops what a handler leaves of a body before the answer goes out: a client that is still sending when its
 * connection is closed sees a reset instead of the answer.
 */
export function drainBody(): MiddlewareHandler<Env> {
  return async (c, next) => {
    await next();
    // Who waits for a go-ahead has not begun to send.
    if (c.req.raw.bodyUsed || c.req.header("expect") === undefined) await drain(c.req.raw.body);
  };
}

/**
 * The whole body.
 *
 * @param maxBody bytes
 * @throws {Problem} 413 if it is longer; 408 if it arrives at no pace, so that nobody holds a connection for nothing; 400 if
 * it breaks off
 */
export async function readBody(c: Context<Env>, maxBody: number): Promise<Uint8Array<ArrayBuffer>> {
  if (Number(c.req.header("content-length") ?? 0) > maxBody) throw new Problem(413, tooLarge(maxBody));
  const parts: Uint8Array[] = [];
  let length = 0;
  const reader = c.req.raw.body?.getReader();
  let isSlow = false, awaited = PACE.bytes;
  const pace = setInterval(() => {
    isSlow = length < awaited;
    awaited = length + PACE.bytes;
    if (isSlow) reader?.cancel().catch(() => {});
  }, PACE.milliseconds);
  try {
    while (reader !== undefined) {
      const { done, value } = await reader.read();
      if (isSlow) throw new Problem(408, TOO_SLOW, { connection: "close" });
      if (done) break;
      length += value.length;
      if (length > maxBody) throw new Problem(413, tooLarge(maxBody));
      parts.push(value);
    }
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(400, "The body broke off; send it again.");
  } finally {
    clearInterval(pace);
    reader?.releaseLock();
  }
  const body = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    body.set(part, offset);
    offset += part.length;
  }
  return body;
}

function tooLarge(maxBody: number): string {
  return `The body is larger than the ${maxBody} bytes that this worker takes; send a smaller image.`;
}

async function drain(body: ReadableStream<Uint8Array> | null): Promise<void> {
  if (body === null || body.locked) return;
  const reader = body.getReader();
  const deadline = setTimeout(() => reader.cancel().catch(() => {}), DRAIN_MILLISECONDS);
  try {
    for (let read = 0; read < DRAIN_BYTES;) {
      const { done, value } = await reader.read();
      if (done) return;
      read += value.length;
    }
  } catch {
    // The client went away: there is nobody to answer.
  } finally {
    clearTimeout(deadline);
    reader.releaseLock();
  }
}
