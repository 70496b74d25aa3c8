import { Hono } from "hono";
import type { Env } from "../middleware/env.ts";
import type { Services } from "./services.ts";

/** `GET /model`: the card, without its goldens. */
export function modelRoutes({ card, needs }: Services): Hono<Env> {
  const { goldens: _, ...rest } = card;
  return new Hono<Env>().get("/model", needs("match"), (c) => c.json(rest));
}
