import { Hono } from "hono";
import { z } from "zod";
import type { Contract } from "../contract/contract.ts";
import type { Env } from "../middleware/env.ts";
import type { Services } from "./services.ts";

const LIVE = {
  id: "live",
  summary: "Whether the process lives",
  answers: { 200: { description: "It does.", json: z.object({ status: z.literal("live") }) } },
} as const satisfies Contract;

const READY = {
  id: "ready",
  summary: "Whether the worker takes requests",
  answers: {
    200: { description: "It does: its model has proved itself.", json: z.object({ status: z.literal("ready") }) },
  },
  problems: [503],
} as const satisfies Contract;

/**
 * `/health`: for platforms. A worker exists only once its model has proved itself, so to be is to be ready; while it drains,
 * `/health/ready` is refused as every other request.
 */
export function healthRoutes({ endpoint }: Pick<Services, "endpoint">) {
  return new Hono<Env>()
    .get("/health/live", endpoint(LIVE, () => ({ status: 200, body: { status: "live" as const } })))
    .get("/health/ready", endpoint(READY, () => ({ status: 200, body: { status: "ready" as const } })));
}
