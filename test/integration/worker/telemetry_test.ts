import assert from "node:assert/strict";
import { clientOf, model } from "./client.ts";
import { startWorker } from "./process.ts";
import { picture, writeModel } from "./tiny_model.ts";

interface Span {
  name: string;
  spanId: string;
  parentSpanId?: string;
  attributes: { key: string; value: { stringValue?: string } }[];
}

Deno.test("with OTEL_DENO=true a request is a span with its route, and the stages of its image are spans below it", async () => {
  const folder = await Deno.makeTempDir({ prefix: "triptych-telemetry-" });
  await writeModel(model, `${folder}/model`);
  const spans: Span[] = [];
  await using collector = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    const body = await request.text();
    if (new URL(request.url).pathname === "/v1/traces") {
      for (const { scopeSpans } of JSON.parse(body).resourceSpans) {
        for (const scope of scopeSpans) spans.push(...scope.spans);
      }
    }
    return Response.json({});
  });
  const worker = await startWorker({
    TRIPTYCH_MODEL: `${folder}/model`,
    OTEL_DENO: "true",
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.addr.port}`,
  });
  const call = clientOf(worker.base);
  const image = await picture(0);
  await call("POST /collections/c/subjects/a/images", { image });
  assert.equal((await call("POST /match?collection=c", { image })).status, 200);
  // Spans are sent when the process ends at the latest.
  await worker.stop();
  await Deno.remove(folder, { recursive: true });

  const match = spans.find(({ name }) => name === "POST /match");
  assert.ok(match !== undefined, `there are ${spans.map(({ name }) => name).join(", ")}`);
  assert.equal(match.attributes.find(({ key }) => key === "http.route")?.value.stringValue, "/match");
  const below = spans.filter(({ parentSpanId }) => parentSpanId === match.spanId).map(({ name }) => name);
  assert.deepEqual(below, ["decode", "embed", "search"]);
  const enrol = spans.find(({ name }) => name === "POST /collections/:collection/subjects/:subject/images");
  assert.ok(enrol !== undefined);
  const text = JSON.stringify(spans);
  assert.doesNotMatch(text, /embedding/);
});
