import { Hono } from "hono";
import type { Contract } from "../contract/contract.ts";
import type { Env } from "../middleware/env.ts";
import { type Metrics, METRICS_TYPE } from "../middleware/metrics.ts";
import type { Services } from "./services.ts";

const METRICS = {
  id: "metrics",
  summary: "Counts of requests, for Prometheus",
  answers: { 200: { description: "By method, route and status.", text: METRICS_TYPE } },
  problems: [503],
} as const satisfies Contract;

/** `GET /metrics`: counts of requests. */
export function metricsRoutes({ endpoint }: Pick<Services, "endpoint">, metrics: Metrics) {
  return new Hono<Env>().get("/metrics", endpoint(METRICS, () => ({ status: 200, body: metrics.text() })));
}
