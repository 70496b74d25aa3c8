import type { Context } from "hono";
import type { Env } from "../middleware/env.ts";

/**
 * Puts timings into the `Server-Timing` header, and rounds them to microseconds for the body.
 *
 * @param timing milliseconds
 */
export function report<Timing extends Record<string, number>>(c: Context<Env>, timing: Timing): Timing {
  const rounded = Object.entries(timing).map(([name, ms]) => [name, Math.round(ms * 1000) / 1000] as const);
  c.header("server-timing", rounded.map(([name, ms]) => `${name};dur=${ms}`).join(", "));
  return Object.fromEntries(rounded) as Timing;
}
