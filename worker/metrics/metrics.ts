import { SpanStatusCode, trace } from "@opentelemetry/api";
import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import { messageOf } from "../../shared/errors.ts";
import type { Gallery } from "../gallery/gallery.ts";
import type { Env } from "../middleware/env.ts";
import { createHistogram } from "./histogram.ts";

/** What is done for an image, one after the other. */
export type Stage = "decode" | "embed" | "search";

/** Does a stage, and measures it: for the answer, for Prometheus, and as a span of OpenTelemetry. */
export type Timed = <T>(stage: Stage, work: () => Promise<T>) => Promise<{ result: T; milliseconds: number }>;

/** What is counted and measured. */
export interface Metrics {
  /** Counts every request that passes. */
  count: MiddlewareHandler<Env>;
  timed: Timed;
  /** Notes stages that another thread did, one after the other, and has just ended; how long each took, milliseconds. */
  noted(stages: Partial<Record<Stage, number>>): void;
  /** All in the text format of Prometheus, version 0.0.4. */
  text(state: Present): Promise<string>;
}

/** What is looked at when the metrics are asked for. */
export interface Present {
  gallery: Pick<Gallery, "collections">;
  fingerprint: string;
  /** How many images are embedded or wait for it. */
  queueDepth: number;
}

/** The media type of what `Metrics.text` gives. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/**
 * Measures requests by method, route and status: the route as it is declared, so that no name is told and the number of
 * series does not grow with what clients ask for.
 *
 * @param now milliseconds, any origin
 */
export function createMetrics(now: () => number = () => performance.now()): Metrics {
  const requests = createHistogram("triptych_request_duration", "How long requests took, by method, route and status.");
  const stages = createHistogram("triptych_stage_duration", "How long images took to decode, embed and search for.");
  const tracer = trace.getTracer("triptych");
  return {
    async count(c, next) {
      const start = now();
      // The span of the request, which the runtime makes if it is told to.
      const span = trace.getActiveSpan();
      await next();
      const { method } = c.req, route = routeOf(routePath(c, -1));
      span?.updateName(`${method} ${route}`).setAttribute("http.route", route);
      requests.observe(labelsOf(method, route, c.res.status), (now() - start) / 1000);
    },
    timed: (stage, work) =>
      tracer.startActiveSpan(stage, async (span) => {
        const start = now();
        try {
          const result = await work();
          const milliseconds = now() - start;
          stages.observe(`stage="${stage}"`, milliseconds / 1000);
          return { result, milliseconds };
        } catch (error) {
          span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error) });
          throw error;
        } finally {
          span.end();
        }
      }),
    noted(took) {
      const entries = Object.entries(took);
      let start = Date.now() - entries.reduce((sum, [, milliseconds]) => sum + milliseconds, 0);
      for (const [stage, milliseconds] of entries) {
        stages.observe(`stage="${stage}"`, milliseconds / 1000);
        tracer.startSpan(stage, { startTime: start }).end(start += milliseconds);
      }
    },
    async text({ gallery, fingerprint, queueDepth }) {
      const collections = await gallery.collections();
      const total = (part: "subjects" | "images") => collections.reduce((sum, collection) => sum + collection[part], 0);
      return [
        ...requests.lines(),
        ...stages.lines(),
        ...gauge("triptych_queue_depth", "Images that are embedded or wait for it.", queueDepth),
        ...gauge("triptych_gallery_collections", "Collections of the gallery.", collections.length),
        ...gauge("triptych_gallery_subjects", "Subjects in all collections.", total("subjects")),
        ...gauge("triptych_gallery_images", "Enrolled images in all collections.", total("images")),
        ...gauge("triptych_model_info", "The model, by its fingerprint.", 1, `{fingerprint="${fingerprint}"}`),
        "",
      ].join("\n");
    },
  };
}

function gauge(name: string, help: string, value: number, labels = ""): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, `${name}${labels} ${value}`];
}

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]);

/** A request that no route answered has that of the middleware. */
function routeOf(route: string): string {
  return route.includes("*") ? "none" : route;
}

function labelsOf(method: string, route: string, status: number): string {
  // A client may make up methods.
  return `method="${METHODS.has(method) ? method : "other"}",route="${route}",status="${status}"`;
}
