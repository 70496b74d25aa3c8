import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import type { Env } from "./env.ts";

/** What is counted of requests. */
export interface Metrics {
  /** Counts every request that passes. */
  count: MiddlewareHandler<Env>;
  /** The counts in the text format of Prometheus, version 0.0.4. */
  text(): string;
}

/** The media type of what `Metrics.text` gives. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

interface Series {
  labels: string;
  requests: number;
  seconds: number;
}

/**
 * Counts requests and the time that they take, by method, route and status: the route as it is declared, so that no name
 * is told and the number of series does not grow with what clients ask for.
 *
 * @param now milliseconds, any origin
 */
export function createMetrics(now: () => number = () => performance.now()): Metrics {
  const all = new Map<string, Series>();
  return {
    async count(c, next) {
      const start = now();
      await next();
      const labels = labelsOf(c.req.method, routePath(c, -1), c.res.status);
      const series = all.get(labels) ?? { labels, requests: 0, seconds: 0 };
      all.set(labels, series);
      series.requests++;
      series.seconds += (now() - start) / 1000;
    },
    text: () =>
      [
        "# HELP triptych_request_duration_seconds How long requests took, by method, route and status.",
        "# TYPE triptych_request_duration_seconds summary",
        ...[...all.values()].flatMap(({ labels, requests, seconds }) => [
          `triptych_request_duration_seconds_sum{${labels}} ${seconds}`,
          `triptych_request_duration_seconds_count{${labels}} ${requests}`,
        ]),
        "",
      ].join("\n"),
  };
}

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]);

function labelsOf(method: string, route: string, status: number): string {
  // A request that no route answered has that of the middleware, and a client may make up methods.
  const known = route.includes("*") ? "none" : route;
  return `method="${METHODS.has(method) ? method : "other"}",route="${known}",status="${status}"`;
}
