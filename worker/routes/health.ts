import { Hono } from "hono";
import { z } from "zod";
import type { Contract } from "../contract/contract.ts";
import type { Env } from "../middleware/env.ts";
import { Problem } from "../middleware/problem.ts";
import type { Services } from "./services.ts";

const LIVE = {
  id: "live",
  summary: "Whether the process lives, and need not be started anew",
  answers: { 200: { description: "It does.", json: z.object({ status: z.literal("live") }) } },
  problems: [503],
} as const satisfies Contract;

const READY = {
  id: "ready",
  summary: "Whether the worker takes requests",
  answers: {
    200: { description: "It does: its model has proved itself.", json: z.object({ status: z.literal("ready") }) },
  },
  problems: [503],
} as const satisfies Contract;

/** Whether the worker takes requests yet, now, or any more, or should be started anew. */
export type WorkerState = "loading" | "ready" | "stuck" | "draining";

const STUCK = "The worker is stuck: too many images hold up its threads for good; start it anew.";

const NOT_READY = {
  loading: "The worker is loading: its model has not proved itself yet; ask again in a second.",
  stuck: STUCK,
  draining: "The worker is draining: it answers what is under way and takes nothing new; ask another.",
};

/** `/health`: for platforms. */
export function healthRoutes({ endpoint }: Pick<Services, "endpoint">, state: () => WorkerState) {
  return new Hono<Env>()
    .get(
      "/health/live",
      endpoint(LIVE, () => {
        if (state() === "stuck") throw new Problem(503, STUCK, { "retry-after": "1" });
        return { status: 200, body: { status: "live" as const } };
      }),
    )
    .get(
      "/health/ready",
      endpoint(READY, () => {
        const now = state();
        if (now !== "ready") throw new Problem(503, NOT_READY[now], { "retry-after": "1" });
        return { status: 200, body: { status: "ready" as const } };
      }),
    );
}
