import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createMemoryGallery } from "../../../worker/gallery/memory.ts";
import { model, newApp, snapshot } from "./client.ts";
import { picture } from "./tiny_model.ts";

const pictures = await Promise.all([0, 1, 2].map(picture));
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
const { fingerprint } = model.card;

async function enrolled() {
  const app = newApp();
  const { body } = await app.call("POST /collections/c/subjects/s0/images", { image: pictures[0] });
  return { ...app, image: body.image };
}

Deno.test("POST /verify tells the same image from another, in a form and in JSON", async () => {
  const { call } = newApp();
  const same = await call("POST /verify", { form: { a: pictures[0], b: pictures[0] } });
  assert.deepEqual(same.body, {
    same: true,
    distance: 0,
    similarity: 1,
    threshold: { fmr: 0.001, distance: 0 },
    fingerprint,
  });
  const other = await call("POST /verify", { json: { a: base64(pictures[0]), b: base64(pictures[1]) } });
  assert.equal(other.body.same, false);
  assert.ok(other.body.distance > 0.5);
  assert.ok(other.headers.has("server-timing"));
});

Deno.test("POST /verify compares an image with the nearest image of a subject", async () => {
  const { call, image } = await enrolled();
  const second = (await call("POST /collections/c/subjects/s0/images", { image: pictures[1] })).body.image;
  const b = { collection: "c", subject: "s0" };
  const [nearSecond, nearFirst, neither] = [
    await call("POST /verify", { json: { a: base64(pictures[1]), b } }),
    await call("POST /verify", { form: { a: pictures[0], b: JSON.stringify(b) } }),
    await call("POST /verify", { json: { a: base64(pictures[2]), b } }),
  ];
  assert.deepEqual([nearSecond.body.same, nearSecond.body.image], [true, second]);
  assert.deepEqual([nearFirst.body.same, nearFirst.body.image], [true, image]);
  assert.equal(neither.body.same, false);
  const toEach = await Promise.all([0, 1].map(async (i) => {
    return (await call("POST /verify", { form: { a: pictures[2], b: pictures[i] } })).body.distance;
  }));
  assert.ok(Math.abs(neither.body.distance - Math.min(...toEach)) < 1e-6);
});

Deno.test("POST /verify takes embeddings in the place of images, on either side", async () => {
  const { call } = await enrolled();
  const [a, b] = await Promise.all(pictures.map(async (image) => {
    const { embedding, fingerprint } = (await call("POST /embed", { image })).body;
    return { embedding, fingerprint };
  }));
  const { distance } = (await call("POST /verify", { form: { a: pictures[0], b: pictures[1] } })).body;
  for (const json of [{ a, b }, { a: base64(pictures[0]), b }, { a, b: base64(pictures[1]) }]) {
    assert.ok(Math.abs((await call("POST /verify", { json })).body.distance - distance) < 1e-6);
  }
  const subject = { collection: "c", subject: "s0" };
  assert.equal((await call("POST /verify", { json: { a, b: subject } })).body.same, true);
  const foreign = { ...b, fingerprint: `sha256:${"0".repeat(64)}` };
  for (const json of [{ a: foreign, b }, { a, b: foreign }]) {
    assert.equal((await call("POST /verify", { json })).status, 409);
  }
});

Deno.test("POST /verify takes a rate or a largest distance", async () => {
  const { call } = newApp();
  const form = { a: pictures[0], b: pictures[1] };
  const { distance } = (await call("POST /verify", { form })).body;
  assert.equal((await call(`POST /verify?maxDistance=${distance}`, { form })).body.same, true);
  const { same, threshold } = (await call(`POST /verify?maxDistance=${distance - 1e-6}`, { form })).body;
  assert.deepEqual([same, threshold.distance], [false, distance - 1e-6]);
  assert.deepEqual((await call("POST /verify?fmr=0.1", { form })).body.threshold, { fmr: 0.1, distance: 0.8 });
});

Deno.test("POST /verify does not know a subject that has expired", async () => {
  let now = Date.parse("2026-01-01T00:00:00Z");
  const { call } = newApp({ gallery: createMemoryGallery({ snapshot, now: () => now }) });
  await call("PUT /collections/c/subjects/s0", { json: { expiresAt: "2026-01-01T00:00:10Z" } });
  await call("POST /collections/c/subjects/s0/images", { image: pictures[0] });
  const json = { a: base64(pictures[0]), b: { collection: "c", subject: "s0" } };
  assert.equal((await call("POST /verify", { json })).status, 200);
  now += 10_000;
  assert.equal((await call("POST /verify", { json })).status, 404);
});

Deno.test("POST /verify refuses what it cannot compare", async () => {
  const { call } = await enrolled();
  await call("PUT /collections/c/subjects/empty", { json: {} });
  const a = base64(pictures[0]);
  const cases: [number, unknown][] = [
    [400, { a }],
    [400, { a, b: 5 }],
    [400, { a, b: "***" }],
    [400, { a: { collection: "c", subject: "s0" }, b: a }],
    [400, { a, b: { collection: "c", subject: "s0", image: "x" } }],
    [400, { a, b: a, c: a }],
    [400, { a, b: { subject: "s0" } }],
    [404, { a, b: { collection: "nope", subject: "s0" } }],
    [404, { a, b: { collection: "c", subject: "nope" } }],
    [404, { a, b: { collection: "c", subject: "empty" } }],
    [415, { a, b: base64(new TextEncoder().encode("a text")) }],
  ];
  for (const [expected, json] of cases) {
    assert.equal((await call("POST /verify", { json })).status, expected, JSON.stringify(json));
  }
  assert.equal((await call("POST /verify", { form: { a: pictures[0] } })).status, 400);
  assert.equal((await call("POST /verify", { image: pictures[0] })).status, 415);
  assert.equal((await call("POST /verify?fmr=7", { json: { a, b: a } })).status, 400);
});
