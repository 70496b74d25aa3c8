import assert from "node:assert/strict";
import { createMemoryGallery } from "../../../worker/gallery/memory.ts";
import { model, newApp } from "./client.ts";
import { picture } from "./tiny_model.ts";

const pictures = await Promise.all([0, 1, 2].map(picture));

Deno.test("GET /collections counts subjects and images, default among them", async () => {
  const { call } = newApp();
  await call("POST /collections/c/subjects/a/images", { image: pictures[0] });
  await call("POST /collections/c/subjects/a/images", { image: pictures[1] });
  assert.deepEqual((await call("GET /collections")).body, {
    collections: [{ collection: "c", subjects: 1, images: 2 }, { collection: "default", subjects: 0, images: 0 }],
  });
});

Deno.test("GET of a collection counts what is in it, and is 404 where there is none", async () => {
  const { call } = newApp();
  await call("POST /collections/c/subjects/a/images", { image: pictures[0] });
  assert.deepEqual((await call("GET /collections/c")).body, { collection: "c", subjects: 1, images: 1 });
  assert.deepEqual((await call("GET /collections/default")).body, { collection: "default", subjects: 0, images: 0 });
  assert.equal((await call("GET /collections/nope")).status, 404);
});

Deno.test("PUT makes a collection once, DELETE removes it with all in it", async () => {
  const { call } = newApp();
  assert.equal((await call("PUT /collections/c")).status, 201);
  assert.equal((await call("PUT /collections/c")).status, 200);
  await call("POST /collections/c/subjects/a/images", { image: pictures[0] });
  assert.equal((await call("DELETE /collections/c")).status, 204);
  assert.equal((await call("DELETE /collections/c")).status, 404);
  assert.equal((await call("POST /match?collection=c", { image: pictures[0] })).status, 404);
  assert.equal((await call("GET /collections/c/subjects")).status, 404);
  assert.equal((await call("DELETE /collections/default")).status, 204);
  assert.equal((await call("GET /collections/default/subjects")).status, 200);
});

Deno.test("PUT of a subject creates it with 201 and replaces its fields with 200; its images stay", async () => {
  const { call } = newApp();
  const put = (json: unknown) => call("PUT /collections/c/subjects/a", { json });
  const created = await put({ metadata: { n: 1 }, expiresAt: "2999-01-01T02:00:00+02:00" });
  assert.equal(created.status, 201);
  assert.deepEqual(created.body, {
    subject: "a",
    metadata: { n: 1 },
    expiresAt: "2999-01-01T00:00:00.000Z",
    images: [],
  });
  await call("POST /collections/c/subjects/a/images", { image: pictures[0] });
  const replaced = await put({ metadata: { m: 2 } });
  assert.equal(replaced.status, 200);
  assert.deepEqual([replaced.body.metadata, replaced.body.expiresAt, replaced.body.images.length], [{ m: 2 }, null, 1]);
});

Deno.test("PUT of a subject refuses what is no metadata, no date, unknown or too much", async () => {
  const { call } = newApp();
  const room = 8192 - JSON.stringify({ x: "" }).length;
  const cases: [number, unknown][] = [
    [201, { metadata: { x: "x".repeat(room) } }],
    [400, { metadata: { x: "x".repeat(room + 1) } }],
    [400, { metadata: { x: "é".repeat(room / 2 + 1) } }],
    [400, { metadata: [] }],
    [400, { metadata: null }],
    [400, { expiresAt: "tomorrow" }],
    [400, { expiresAt: "2030-01-01" }],
    [400, { expiresAt: 5 }],
    [400, { meta: {} }],
    [400, []],
  ];
  for (const [expected, json] of cases) {
    const { status, body } = await call("PUT /collections/c/subjects/a", { json });
    assert.equal(status, expected, `${JSON.stringify(json).slice(0, 60)}: ${JSON.stringify(body).slice(0, 200)}`);
  }
  assert.equal((await call("PUT /collections/c/subjects/a", { image: pictures[0] })).status, 415);
});

Deno.test("names of 1 to 128 characters without control characters can be enrolled", async () => {
  const { call } = newApp();
  for (const name of ["x".repeat(128), "日本", "a.b", "-", "%25", "constructor", "__proto__"]) {
    assert.equal(
      (await call(`PUT /collections/c/subjects/${encodeURIComponent(name)}`, { json: {} })).status,
      201,
      name,
    );
    assert.equal((await call(`GET /collections/c/subjects/${encodeURIComponent(name)}`)).body.subject, name);
  }
  for (const name of ["x".repeat(129), "a%0Ab", "%00"]) {
    assert.equal((await call(`PUT /collections/c/subjects/${name}`, { json: {} })).status, 400, name);
    assert.equal((await call(`PUT /collections/${name}`)).status, 400, name);
  }
});

Deno.test("a name is one and the same however its accents are encoded", async () => {
  const { call } = newApp();
  const [composed, decomposed] = ["caf\u00e9", "cafe\u0301"].map(encodeURIComponent);
  const enrolled = await call(`POST /collections/${decomposed}/subjects/${decomposed}/images`, { image: pictures[0] });
  assert.equal(enrolled.body.subject, "caf\u00e9");
  const path = `/collections/${composed}/subjects/${composed}`;
  for (const at of [path, path.replaceAll(composed, decomposed)]) {
    assert.equal((await call(`GET ${at}`)).status, 200);
    assert.equal((await call(`PUT ${at}`, { json: {} })).status, 200);
    assert.equal((await call(`GET ${at.replace(/\/[^/]*$/, "")}`)).body.subjects.length, 1);
  }
  assert.equal((await call(`POST /match?collection=${decomposed}`, { image: pictures[0] })).body.decision, "match");
  const b = JSON.stringify({ collection: "cafe\u0301", subject: "cafe\u0301" });
  assert.equal((await call("POST /verify", { form: { a: pictures[0], b } })).body.same, true);
  assert.equal((await call(`DELETE /collections/${decomposed}`)).status, 204);
});

Deno.test("names that are no names, and addresses that cannot be decoded, are 400 in every route", async () => {
  const { call } = newApp();
  const image = pictures[0];
  for (const name of ["%20", "%E3%80%80%09", "%ZZ", "%", "%FF", "%C3"]) {
    for (
      const [route, body] of [
        [`PUT /collections/${name}`, {}],
        [`DELETE /collections/${name}`, {}],
        [`GET /collections/${name}/subjects`, {}],
        [`GET /collections/c/subjects/${name}`, {}],
        [`PUT /collections/c/subjects/${name}`, { json: {} }],
        [`DELETE /collections/c/subjects/${name}`, {}],
        [`POST /collections/${name}/subjects/s/images`, { image }],
        [`POST /match?collection=${name}`, { image }],
      ] as const
    ) assert.equal((await call(route, body)).status, 400, route);
  }
  // In a path, clients take these for steps; other places bring them as they are.
  for (const name of [".", "..", " "]) {
    assert.equal((await call(`POST /match?collection=${encodeURIComponent(name)}`, { image })).status, 400);
    const b = JSON.stringify({ collection: "default", subject: name });
    assert.equal((await call("POST /verify", { form: { a: image, b } })).status, 400);
  }
});

Deno.test("subjects come in pages with a cursor, each once", async () => {
  const { call } = newApp();
  for (const name of ["d", "b", "é", "a", "c"]) await call(`PUT /collections/c/subjects/${name}`, { json: {} });
  const seen: string[] = [];
  let cursor: string | null = "";
  do {
    const { body }: { body: { subjects: { subject: string }[]; cursor: string | null } } = await call(
      `GET /collections/c/subjects?limit=2&cursor=${encodeURIComponent(cursor)}`,
    );
    seen.push(...body.subjects.map(({ subject }) => subject));
    cursor = body.cursor;
  } while (cursor !== null);
  assert.deepEqual(seen, ["a", "b", "c", "d", "é"]);
  const { body } = await call("GET /collections/c/subjects");
  assert.deepEqual(body.subjects[0], { subject: "a", images: 0, metadata: {}, expiresAt: null });
  assert.equal(body.cursor, null);
  for (const query of ["limit=0", "limit=1001", "limit=x", "cursor=*"]) {
    assert.equal((await call(`GET /collections/c/subjects?${query}`)).status, 400, query);
  }
});

Deno.test("a cursor goes on after the same name, whatever is enrolled and deleted between two pages", async () => {
  const { call } = newApp();
  for (const name of ["b", "d", "f", "h"]) await call(`PUT /collections/c/subjects/${name}`, { json: {} });
  const page = async (cursor = "") => (await call(`GET /collections/c/subjects?limit=2&cursor=${cursor}`)).body;
  const first = await page();
  assert.doesNotMatch(first.cursor, /d/);
  // The very subject that the cursor was made of, one before it and one after it.
  await call("DELETE /collections/c/subjects/d");
  await call("PUT /collections/c/subjects/a", { json: {} });
  await call("PUT /collections/c/subjects/e", { json: {} });
  const second = await page(first.cursor), third = await page(second.cursor);
  const names = [first, second, third].flatMap(({ subjects }) =>
    subjects.map(({ subject }: { subject: string }) => subject)
  );
  assert.deepEqual([names, third.cursor], [["b", "d", "e", "f", "h"], null]);
  assert.deepEqual(await page(first.cursor), second);
});

Deno.test("an expiry past the last year that has a date is that year's end", async () => {
  const { call } = newApp();
  const json = { expiresAt: "9999-12-31T23:59:59-23:00" };
  assert.equal((await call("PUT /collections/c/subjects/a", { json })).body.expiresAt, "9999-12-31T23:59:59.999Z");
});

Deno.test("a change with a stale If-Match is 412, with the present one or * it is made", async () => {
  const { call } = newApp();
  const put = (etag: string) => call("PUT /collections/c/subjects/a", { json: {}, headers: { "if-match": etag } });
  assert.equal((await put("*")).status, 412);
  const first = (await call("PUT /collections/c/subjects/a", { json: {} })).headers.get("etag") ?? "";
  const second = (await put(first)).headers.get("etag") ?? "";
  assert.notEqual(first, second);
  assert.equal((await put(first)).status, 412);
  assert.equal((await put(`W/${second}`)).status, 412);
  const remove = (etag: string) => call("DELETE /collections/c/subjects/a", { headers: { "if-match": etag } });
  assert.equal((await remove('"stale"')).status, 412);
  assert.equal((await remove(`"other", ${second}`)).status, 204);
  assert.equal((await remove("*")).status, 404);
});

Deno.test("a subject past its expiresAt is not there for any route", async () => {
  let now = Date.parse("2026-01-01T00:00:00Z");
  const { fingerprint, embedding } = model.card;
  const snapshot = { fingerprint, dimensions: embedding.dimensions, collections: [] };
  const { call } = newApp({ gallery: createMemoryGallery({ snapshot, now: () => now }) });
  await call("POST /collections/c/subjects/a/images", { image: pictures[0] });
  await call("PUT /collections/c/subjects/a", { json: { expiresAt: "2026-01-01T00:00:10Z" } });
  assert.equal((await call("POST /match?collection=c", { image: pictures[0] })).body.decision, "match");
  now += 10_000;
  const { body } = await call("POST /match?collection=c", { image: pictures[0] });
  assert.deepEqual([body.subjects, body.decision, body.matches], [0, "no_match", []]);
  assert.equal((await call("GET /collections/c/subjects/a")).status, 404);
  assert.deepEqual((await call("GET /collections/c/subjects")).body.subjects, []);
  assert.deepEqual((await call("GET /collections/c")).body, { collection: "c", subjects: 0, images: 0 });
  assert.equal((await call("DELETE /collections/c/subjects/a")).status, 404);
  const again = await call("POST /collections/c/subjects/a/images", { image: pictures[1] });
  assert.equal(again.body.images, 1);
});
