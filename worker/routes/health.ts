import { Hono } from "hono";
import type { Env } from "../middleware/env.ts";

/**
 * `/health`: for platforms. A worker exists only once its model has proved itself, so to be is to be ready; while it drains,
 * `/health/ready` is refused as every other request.
 */
export function healthRoutes(): Hono<Env> {
  return new Hono<Env>()
    .get("/health/live", (c) => c.json({ status: "live" }))
    .get("/health/ready", (c) => c.json({ status: "ready" }));
}
