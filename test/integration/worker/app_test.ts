import assert from "node:assert/strict";
import { GalleryError } from "../../../shared/errors.ts";
import { StorageFullError } from "../../../worker/gallery/gallery.ts";
import { parseKeys } from "../../../worker/keys/key_source.ts";
import type { WorkerState } from "../../../worker/routes/health.ts";
import { brokenGallery, type Call, clientOf, embedder, model, newApp } from "./client.ts";
import { picture } from "./tiny_model.ts";

const image = await picture(1);

Deno.test("GET /model is the card without its goldens", async () => {
  const { goldens: _, ...card } = model.card;
  assert.deepEqual((await newApp().call("GET /model")).body, JSON.parse(JSON.stringify(card)));
});

Deno.test("a worker that drains refuses all with 503, /health/ready among them, but for /health/live", async () => {
  let state: WorkerState = "ready";
  const { call } = newApp({ state: () => state });
  assert.equal((await call("GET /health/ready")).status, 200);
  state = "draining";
  for (const route of ["GET /health/ready", "POST /match"]) assert.equal((await call(route)).status, 503);
  assert.match((await call("GET /health/ready")).body.detail, /^The worker is draining:/);
  assert.equal((await call("GET /health/live")).status, 200);
});

Deno.test("GET / is one page that loads nothing from elsewhere", async () => {
  const { status, headers, body } = await newApp().call("GET /");
  assert.equal(status, 200);
  assert.match(headers.get("content-type") ?? "", /^text\/html/);
  assert.doesNotMatch(body, /https?:\/\//);
  const nonce = /script-src 'nonce-([^']+)'/.exec(headers.get("content-security-policy") ?? "")?.[1];
  assert.ok(body.includes(`<script type="module" nonce="${nonce}"`) && body.includes(`<style nonce="${nonce}">`));
});

Deno.test("every module that the playground imports is served", async () => {
  const { call } = newApp();
  const modules = new Set(["main.js"]);
  for (const name of modules) {
    const { status, headers, body } = await call(`GET /playground/${name}`);
    assert.deepEqual([status, headers.get("content-type")], [200, "text/javascript; charset=utf-8"], name);
    for (const [, imported] of body.matchAll(/from "\.\/([\w.]+)"/g)) modules.add(imported);
  }
  const files = await Array.fromAsync(Deno.readDir("worker/playground"), ({ name }) => name);
  assert.deepEqual([...modules].sort(), files.filter((name) => name.endsWith(".js")).sort());
});

Deno.test("an unknown route is 404 and a wrong method 405 with Allow, both as problems", async () => {
  const { call } = newApp();
  const unknown = await call("GET /nope");
  assert.deepEqual([unknown.status, unknown.body.title, unknown.body.instance], [404, "Not Found", "/nope"]);
  const wrong = await call("PATCH /collections/c/subjects/a");
  assert.equal(wrong.status, 405);
  assert.equal(wrong.headers.get("allow"), "GET, HEAD, PUT, DELETE");
  for (const { headers } of [unknown, wrong]) assert.equal(headers.get("content-type"), "application/problem+json");
});

Deno.test("a problem names the path that was asked for as a URI has it", async () => {
  const { call } = newApp();
  const instance = async (path: string) => (await call(`GET ${path}`)).body.instance;
  assert.equal(await instance("/collections/%0B?x=1"), "/collections/%0B");
  assert.equal(await instance("/collections/caf%C3%A9/subjects/a%2Fb"), "/collections/caf%C3%A9/subjects/a%2Fb");
  assert.equal(await instance("/collections/é/subjects/[|]"), "/collections/%C3%A9/subjects/%5B%7C%5D");
  assert.equal(await instance("/collections/%ZZ"), "/collections/%25ZZ");
});

Deno.test("GET /metrics counts requests by the route as it is declared, whatever names and methods clients make up", async () => {
  const { call } = newApp();
  for (
    const route of ["GET /health/live", "GET /health/live", "GET /collections/a", "GET /collections/b", "BREW /tea"]
  ) {
    await call(route);
  }
  const { body, headers } = await call("GET /metrics");
  assert.equal(headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  const counts = [...body.matchAll(/^triptych_request_duration_seconds_count\{(.*)\} (\d+)$/gm)].map((line) =>
    line.slice(1)
  );
  assert.deepEqual(counts, [
    ['method="GET",route="/health/live",status="200"', "2"],
    ['method="GET",route="/collections/:collection",status="404"', "2"],
    ['method="other",route="none",status="404"', "1"],
  ]);
  assert.match(body, /^# TYPE triptych_request_duration_seconds histogram$/m);
  assert.match(body, /^triptych_request_duration_seconds_sum\{.*route="\/health\/live",status="200"\} [\d.e-]+$/m);
});

Deno.test("GET /metrics has the stages of images, the queue, the size of the gallery and the model's fingerprint", async () => {
  const { call } = newApp();
  await call("POST /collections/a/subjects/s/images", { image });
  await call("POST /collections/b/subjects/s/images", { image });
  await call("POST /match?collection=a", { image });
  const { body } = await call("GET /metrics");
  for (const [stage, count] of [["decode", 3], ["embed", 3], ["search", 1]]) {
    const labels = `stage="${stage}"`;
    assert.ok(body.includes(`triptych_stage_duration_seconds_bucket{${labels},le="+Inf"} ${count}\n`), body);
    assert.ok(body.includes(`triptych_stage_duration_seconds_count{${labels}} ${count}\n`), body);
  }
  for (const line of ["queue_depth 0", "gallery_collections 3", "gallery_subjects 2", "gallery_images 2"]) {
    assert.ok(body.includes(`\ntriptych_${line}\n`), body);
  }
  assert.ok(body.includes(`\ntriptych_model_info{fingerprint="${model.card.fingerprint}"} 1\n`), body);
});

Deno.test("every answer carries x-request-id: the client's if it is usable, otherwise a new one", async () => {
  const { call } = newApp();
  for (
    const route of ["GET /", "GET /model", "GET /nope", "PATCH /match", "POST /embed", "DELETE /collections/default"]
  ) {
    const given = await call(route, { headers: { "x-request-id": "abc-1.2" } });
    assert.equal(given.headers.get("x-request-id"), "abc-1.2", route);
    const { headers } = await call(route, { headers: { "x-request-id": "not usable!" } });
    assert.match(headers.get("x-request-id") ?? "", /^[0-9A-Z]{26}$/, route);
  }
});

Deno.test("an unexpected error is 500 without its cause; the log has it under the request's id", async () => {
  const { call, log } = newApp({ embedder: { embed: () => Promise.reject(new Error("secret detail at /etc")) } });
  const { status, body, headers } = await call("POST /embed", { image });
  assert.equal(status, 500);
  assert.doesNotMatch(JSON.stringify(body), /secret|stack|\.ts/);
  const requestId = headers.get("x-request-id") ?? "";
  assert.ok(body.detail.includes(requestId));
  const entry = log.find(({ level }) => level === "error");
  assert.deepEqual([entry?.message, entry?.requestId], ["secret detail at /etc", requestId]);
});

Deno.test("a gallery that cannot be written is 503 with Retry-After, and nothing is changed", async () => {
  const { call, log } = newApp({ gallery: brokenGallery(new GalleryError("Cannot write /secret/path.")) });
  const { status, headers, body } = await call("POST /collections/c/subjects/a/images", { image });
  assert.equal(status, 503);
  assert.ok(headers.get("retry-after"));
  assert.doesNotMatch(body.detail, /secret/);
  assert.equal((await call("GET /collections/c/subjects/a")).status, 404);
  assert.ok(log.some(({ level, message }) => level === "error" && message.includes("/secret/path")));
});

Deno.test("a gallery that has no room left is 507, and says nothing of where it is", async () => {
  const { call } = newApp({ gallery: brokenGallery(new StorageFullError("/secret/path")) });
  const changes: [string, Call?][] = [
    ["POST /collections/c/subjects/a/images", { image }],
    ["PUT /collections/c/subjects/a"],
    ["PUT /collections/c"],
    ["DELETE /collections/default"],
  ];
  for (const [route, sent] of changes) {
    const { status, body } = await call(route, sent);
    assert.equal(status, 507, route);
    assert.doesNotMatch(body.detail, /secret/);
  }
});

Deno.test("the log has one line a request, with no query, no body and no key", async () => {
  const { call, log } = newApp({ keys: parseKeys("match:s3cret") });
  await call("POST /match?filter=%7B%22name%22%3A%22private%22%7D", {
    image,
    headers: { authorization: "Bearer s3cret" },
  });
  assert.equal(log.length, 1);
  assert.deepEqual([log[0].method, log[0].path, log[0].status], ["POST", "/match", 200]);
  assert.doesNotMatch(JSON.stringify(log), /private|s3cret|\[0/);
});

Deno.test("more images than the queue takes are refused with 503 and Retry-After, the others answered", async () => {
  const { call } = newApp({ queue: 2 });
  const answers = await Promise.all(Array.from({ length: 8 }, () => call("POST /embed", { image })));
  const statuses = answers.map(({ status }) => status).sort();
  assert.deepEqual(statuses, [200, 200, 200, 503, 503, 503, 503, 503]);
  for (const { status, headers } of answers) if (status === 503) assert.equal(headers.get("retry-after"), "1");
  assert.equal((await call("POST /embed", { image })).status, 200);
});

Deno.test("answers under load are the same as alone", async () => {
  const { call } = newApp();
  const images = await Promise.all([0, 1, 2, 3, 4, 5].map(picture));
  const embed = async (image: Uint8Array<ArrayBuffer>) => (await call("POST /embed", { image })).body.embedding;
  const together = await Promise.all(images.map(embed));
  for (const [i, image] of images.entries()) assert.deepEqual(await embed(image), together[i]);
});

Deno.test("keys: 401 without or with an unknown one, 403 without the scope, and admin may do all", async () => {
  const { call } = newApp({ keys: parseKeys("match:reader, enroll:writer,match+enroll:both,admin:root") });
  const status = async (route: string, authorization?: string) =>
    (await call(route, { image, ...authorization && { headers: { authorization } } })).status;
  const routes: [string, string[]][] = [
    ["POST /match", ["reader", "both", "root"]],
    ["POST /embed", ["reader", "both", "root"]],
    ["POST /collections/c/subjects/a/images", ["writer", "both", "root"]],
    ["DELETE /collections/c/subjects/a", ["writer"]],
    ["PUT /collections/d", ["root"]],
  ];
  for (const [route, allowed] of routes) {
    assert.equal(await status(route), 401);
    assert.equal(await status(route, "Bearer nobody"), 401);
    assert.equal(await status(route, "Basic cmVhZGVy"), 401);
    for (const key of ["reader", "writer", "both", "root"]) {
      const expected = allowed.includes(key);
      if (route.startsWith("DELETE") && key !== "writer" && key !== "reader") continue;
      assert.equal(await status(route, `Bearer ${key}`) < 300, expected, `${key} ${route}`);
    }
    if (!allowed.includes("reader")) assert.equal(await status(route, "Bearer reader"), 403);
  }
  const refused = await call("POST /match", { image });
  assert.equal(refused.headers.get("www-authenticate"), "Bearer");
  for (const route of ["GET /health/live", "GET /health/ready", "GET /"]) assert.equal((await call(route)).status, 200);
});

Deno.test("pages of listed origins may call, errors included; other origins get no leave", async () => {
  const { call } = newApp({ corsOrigins: ["https://shop.example"], keys: parseKeys("match:k") });
  const from = (origin: string) => ({ headers: { origin } });
  for (const route of ["GET /model", "GET /nope", "POST /match", "GET /health/live"]) {
    const listed = await call(route, from("https://shop.example"));
    assert.equal(listed.headers.get("access-control-allow-origin"), "https://shop.example", route);
    assert.match(listed.headers.get("access-control-expose-headers") ?? "", /x-request-id/);
    assert.equal(
      (await call(route, from("https://evil.example"))).headers.get("access-control-allow-origin"),
      null,
      route,
    );
  }
  const preflight = await call("OPTIONS /match", {
    headers: {
      origin: "https://shop.example",
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization",
    },
  });
  assert.equal(preflight.status, 204);
  assert.match(preflight.headers.get("access-control-allow-headers") ?? "", /authorization/);
});

Deno.test("every answer tells a browser to load, run, frame and guess nothing, and to keep no answer about anybody", async () => {
  const { call } = newApp();
  for (
    const route of ["GET /model", "POST /match", "GET /nope", "GET /", "GET /docs", "GET /client.js", "GET /metrics"]
  ) {
    const { headers } = await call(route, route === "POST /match" ? { image } : {});
    assert.equal(headers.get("x-content-type-options"), "nosniff", route);
    assert.equal(headers.get("x-frame-options"), "DENY", route);
    assert.equal(headers.get("referrer-policy"), "no-referrer", route);
    assert.match(headers.get("content-security-policy") ?? "", /^default-src 'none'.*frame-ancestors 'none'/, route);
    const isPersonal = ["GET /model", "POST /match", "GET /nope"].includes(route);
    if (isPersonal) assert.equal(headers.get("cache-control"), "no-store", route);
  }
});

Deno.test("a parameter, or a field of a form, that is given twice is refused", async () => {
  const { call } = newApp();
  for (const query of ["k=1&k=2", "collection=a&collection=b", "fmr=0.1&fmr=0.1"]) {
    const { status, body } = await call(`POST /match?${query}`, { image });
    assert.equal(status, 400, query);
    assert.match(body.detail, /is given more than once/);
  }
  assert.equal((await call("POST /embed", { form: { image: [image, image] } })).status, 400);
  const { status } = await call("POST /match", { form: { image, filter: ["{}", "{}"] } });
  assert.equal(status, 400);
});

Deno.test("no URL that a client names is fetched, wherever it stands", async () => {
  const { call } = newApp();
  const url = "http://192.0.2.1/photo.jpg", fetched: unknown[] = [];
  const { fetch } = globalThis;
  globalThis.fetch = (input) => (fetched.push(input), Promise.reject(new TypeError("no network")));
  try {
    for (const json of [{ image: url }, { url }, { image: { url } }]) {
      assert.equal((await call("POST /embed", { json })).status, 400);
      assert.equal((await call("POST /match", { json })).status, 400);
    }
    const body = new TextEncoder().encode(url);
    assert.equal((await call("POST /embed", { image: body })).status, 415);
    assert.equal((await call(`PUT /collections/c/subjects/s`, { json: { metadata: { photo: url } } })).status, 201);
    const svg = new TextEncoder().encode(`<svg xmlns="http://www.w3.org/2000/svg"><image href="${url}"/></svg>`);
    assert.equal((await call("POST /embed", { image: svg, headers: { "content-type": "image/svg+xml" } })).status, 415);
  } finally {
    globalThis.fetch = fetch;
  }
  assert.deepEqual(fetched, []);
});

Deno.test("without keys only this machine is answered, and no page of another origin", async () => {
  const { app } = newApp();
  const from = (hostname: string, headers = {}) =>
    clientOf("http://localhost:8000", (request) => {
      return app.fetch(request, { remoteAddr: { transport: "tcp", hostname, port: 5 } });
    })("GET /model", { headers });
  for (const local of ["127.0.0.1", "::1", "::ffff:127.0.0.1"]) assert.equal((await from(local)).status, 200);
  const remote = await from("192.0.2.7");
  assert.equal(remote.status, 403);
  assert.match(remote.body.detail, /TRIPTYCH_KEYS/);
  assert.equal((await from("127.0.0.1", { origin: "https://evil.example" })).status, 403);
  assert.equal((await from("127.0.0.1", { origin: "http://localhost:8000", host: "localhost:8000" })).status, 200);
});

Deno.test("without keys only a request for localhost is answered, so that no name can be pointed to it", async () => {
  const { app } = newApp();
  const status = async (host: string, headers = {}) => {
    const request = new Request("http://127.0.0.1:8000/model", { headers: { host, ...headers } });
    return (await app.fetch(request, { remoteAddr: { transport: "tcp", hostname: "127.0.0.1", port: 5 } })).status;
  };
  for (const host of ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "[::1]:8000"]) {
    assert.equal(await status(host), 200, host);
  }
  for (
    const host of [
      "evil.example:8000",
      "localhost.evil.example",
      "127.0.0.1.evil.example",
      "192.0.2.7",
      "a@localhost",
      "",
    ]
  ) {
    assert.equal(await status(host), 403, host);
    assert.equal(await status(host, { origin: `http://${host}` }), 403, host);
  }
  assert.equal((await app.fetch(new Request("http://evil.example/model"))).status, 403);
});

Deno.test("without keys a page that was opened from a file may call only where null is listed", async () => {
  const call = (corsOrigins: string[]) => newApp({ corsOrigins }).call("GET /model", { headers: { origin: "null" } });
  assert.equal((await call([])).status, 403);
  assert.equal((await call(["https://shop.example"])).status, 403);
  const listed = await call(["null"]);
  assert.deepEqual([listed.status, listed.headers.get("access-control-allow-origin")], [200, "null"]);
});

Deno.test("with keys other machines are answered", async () => {
  const { app } = newApp({ keys: parseKeys("match:k"), embedder });
  const request = new Request("http://worker.example/model", { headers: { authorization: "Bearer k" } });
  assert.equal(
    (await app.fetch(request, { remoteAddr: { transport: "tcp", hostname: "192.0.2.7", port: 5 } })).status,
    200,
  );
});
