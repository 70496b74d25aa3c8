import { Hono } from "hono";
import type { Contract } from "../contract/contract.ts";
import type { Env } from "../middleware/env.ts";
import { METRICS_TYPE } from "../metrics/metrics.ts";
import type { Services } from "./services.ts";

const METRICS = {
  id: "metrics",
  summary: "Counts and durations, for Prometheus",
  answers: {
    200: {
      description: "Of requests by method, route and status, of the stages of an image, of the queue and the gallery.",
      text: METRICS_TYPE,
    },
  },
  problems: [500, 503],
} as const satisfies Contract;

/** `GET /metrics`: counts and durations. */
export function metricsRoutes({ endpoint }: Pick<Services, "endpoint">, text: () => Promise<string>) {
  return new Hono<Env>().get("/metrics", endpoint(METRICS, async () => ({ status: 200, body: await text() })));
}
