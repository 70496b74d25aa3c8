import assert from "node:assert/strict";
import { hc } from "hono/client";
import { Validator } from "@seriousme/openapi-schema-validator";
import { GalleryError } from "../../../shared/errors.ts";
import { readModelFiles } from "../../../shared/model_files.ts";
import type { AppType } from "../../../worker/app.ts";
import type { OpenApiDocument } from "../../../worker/contract/open_api.ts";
import { type Gallery, StorageFullError } from "../../../worker/gallery/gallery.ts";
import { createMemoryGallery } from "../../../worker/gallery/memory.ts";
import type { KeySource } from "../../../worker/keys/key.ts";
import { parseKeys } from "../../../worker/keys/key_source.ts";
import { brokenGallery, type Call, contract, model, newApp, snapshot } from "./client.ts";
import { picture } from "./tiny_model.ts";

const image = await picture(1);
const SUBJECT = "/collections/c/subjects/s";
const document: OpenApiDocument = (await newApp().call("GET /openapi.json")).body;

/** One request to every operation that has a success for it, where subject s of collection c has one image, and one waits. */
const GOOD: Record<string, [string, Call?]> = {
  playground: ["GET /"],
  playgroundModule: ["GET /playground/main.js"],
  preview: ["POST /preview", { image }],
  match: ["POST /match?collection=c", { image }],
  verify: ["POST /verify", { form: { a: image, b: JSON.stringify({ collection: "c", subject: "s" }) } }],
  embed: ["POST /embed", { image }],
  listCollections: ["GET /collections"],
  getCollection: ["GET /collections/c"],
  putCollection: ["PUT /collections/c"],
  deleteCollection: ["DELETE /collections/c"],
  listSubjects: ["GET /collections/c/subjects"],
  getSubject: [`GET ${SUBJECT}`],
  putSubject: [`PUT ${SUBJECT}`, { json: { metadata: { a: 1 } } }],
  deleteSubject: [`DELETE ${SUBJECT}`],
  enrolImage: [`POST ${SUBJECT}/images`, { image }],
  listReviews: ["GET /collections/c/reviews"],
  acceptReview: [`POST ${SUBJECT}/reviews/REVIEW`],
  refuseReview: [`DELETE ${SUBJECT}/reviews/REVIEW`],
  deleteImage: [`DELETE ${SUBJECT}/images/IMAGE`],
  getThumbnail: [`GET ${SUBJECT}/images/IMAGE/thumbnail`],
  map: ["GET /collections/c/map"],
  model: ["GET /model"],
  modelJson: [`GET /model/files/${model.card.fingerprint}/model.json`],
  modelWeights: [`GET /model/files/${model.card.fingerprint}/weights.bin`],
  modelNetwork: [`GET /model/files/${model.card.fingerprint}/detector.json`],
  clientScript: ["GET /client.js"],
  localScript: ["GET /client/local.js"],
  tfjsScript: ["GET /client/tfjs.js"],
  clientBinary: ["GET /client/png.wasm"],
  live: ["GET /health/live"],
  ready: ["GET /health/ready"],
  metrics: ["GET /metrics"],
  openapi: ["GET /openapi.json"],
  docs: ["GET /docs"],
};

const { embedding, fingerprint } = (await newApp().call("POST /embed", { image })).body;
/** As far as can be from what is enrolled. */
const opposite = { embedding: embedding.map((value: number) => -value), fingerprint };

/** A gallery that has room for so many changes. */
function galleryFullAfter(changes: number): Gallery {
  return brokenGallery(new StorageFullError("a disk"), changes);
}

async function enrolled(deps: Parameters<typeof newApp>[0] = {}) {
  const app = newApp({ thumbnails: true, review: true, ...deps });
  const { body } = await app.call(`POST ${SUBJECT}/images`, { image });
  const held = await app.call(`POST ${SUBJECT}/images`, { json: opposite });
  const send = (operation: string, more: Call & { query?: string } = {}) => {
    const [route, call] = GOOD[operation];
    const headers = { ...call?.headers, ...more.headers };
    const target = `${route.replace("IMAGE", body.image).replace("REVIEW", held.body.review)}${more.query ?? ""}`;
    return app.call(target, { ...call, ...more, headers });
  };
  return { ...app, send };
}

/** One key `k` that may do all, once. */
async function limitedKey(): Promise<KeySource> {
  const [key] = await parseKeys("admin:k")();
  return () => Promise.resolve([{ ...key, rate: 1 }]);
}

Deno.test("the OpenAPI document is valid", async () => {
  const { valid, errors } = await new Validator().validate({ ...structuredClone(document) });
  assert.ok(valid, JSON.stringify(errors));
  assert.equal(document.openapi, "3.1.0");
});

Deno.test("the document has every route of the app, and every operation a name of its own", () => {
  const { app } = newApp();
  const routes = app.routes.filter(({ method }) => method !== "ALL").map(({ method, path }) => `${method} ${path}`);
  const told = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ":$1")}`)
  );
  assert.deepEqual(told.sort(), [...new Set(routes)].sort());
  const names = Object.values(document.paths).flatMap((methods) =>
    Object.values(methods).map(({ operationId }) => operationId)
  );
  assert.deepEqual(names.toSorted(), Object.keys(GOOD).sort());
});

Deno.test("every status that is documented is answered to some request, and no other", async () => {
  const bodies = (operation: string) => operations.get(operation)?.requestBody !== undefined;
  const operations = new Map(
    Object.values(document.paths).flatMap((methods) =>
      Object.values(methods).map((operation) => [operation.operationId, operation] as const)
    ),
  );
  const failing = new Proxy(createMemoryGallery({ snapshot }), {
    get: () => () => Promise.reject(new Error("secret")),
  });
  const broken = brokenGallery(new GalleryError("It is broken."));
  const readOnly = { ...createMemoryGallery({ snapshot }), isReadOnly: true } as const;
  for (const operation of Object.keys(GOOD)) {
    await (await enrolled()).send(operation);
    await (await enrolled()).send(operation, { query: GOOD[operation][0].includes("?") ? "&x=%ZZ" : "?x=%ZZ" });
    await (await enrolled()).send(operation, { headers: { origin: "https://evil.example" } });
    await (await enrolled({ keys: parseKeys("match:k") })).send(operation);
    const limited = await enrolled({ keys: await limitedKey() });
    for (let i = 0; i < 2; i++) await limited.send(operation, { headers: { authorization: "Bearer k" } });
    await (await enrolled({ state: () => "draining" })).send(operation);
    await (await enrolled({ state: () => "stuck" })).send(operation);
    await (await enrolled({ gallery: broken })).send(operation);
    await (await enrolled({ gallery: failing, embedder: { embed: () => Promise.reject(new Error("secret")) } }))
      .send(operation);
    await (await enrolled({ gallery: readOnly })).send(operation);
    if (bodies(operation)) {
      await (await enrolled({ maxBody: 2 })).send(operation);
      await newApp().call(GOOD[operation][0], { body: "text", headers: { "content-type": "text/plain" } });
    }
  }
  await Promise.all(
    Object.keys(GOOD).filter(bodies).map(async (operation) => {
      const headers = { "content-type": "image/png", ...GOOD[operation][1]?.headers };
      if (GOOD[operation][1]?.form !== undefined) headers["content-type"] = "multipart/form-data; boundary=a";
      if (GOOD[operation][1]?.json !== undefined) headers["content-type"] = "application/json";
      const stalled = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1)) });
      await newApp().call(GOOD[operation][0], { body: stalled, headers });
    }),
  );
  for (const operation of ["clientScript", "localScript", "tfjsScript", "clientBinary"]) {
    const { headers } = await newApp().call(GOOD[operation][0]);
    await newApp().call(GOOD[operation][0], { headers: { "if-none-match": headers.get("etag") ?? "" } });
  }
  for (const path of ["/client/none.wasm", "/model/files/sha256:0/model.json", "/model/files/sha256:0/weights.bin"]) {
    await newApp().call(`GET ${path}`);
  }
  const { card, face, ...faces } = await readModelFiles("samples/face-model");
  const served = {
    ...faces,
    card,
    readWeights: () => Promise.reject(new Error()),
    readFace: () => Promise.resolve(face),
  };
  await newApp({ model: served }).call(`GET /model/files/${card.fingerprint}/detector.json`);
  const embedding = { embedding: [1], fingerprint: `sha256:${"0".repeat(64)}` };
  const { call, send } = await enrolled();
  for (const operation of ["putSubject", "deleteSubject", "enrolImage", "deleteImage"]) {
    await send(operation, { headers: { "if-match": '"stale"' } });
  }
  for (const operation of ["putSubject", "deleteSubject", "enrolImage", "deleteImage", "deleteCollection"]) {
    await (await enrolled({ gallery: galleryFullAfter(1) })).send(operation);
  }
  for (const operation of ["acceptReview", "refuseReview"]) {
    await (await enrolled({ gallery: galleryFullAfter(2) })).send(operation);
  }
  await newApp({ gallery: galleryFullAfter(0) }).call("PUT /collections/c");
  const fresh = newApp();
  for (const operation of ["getCollection", "deleteCollection", "map", "listSubjects", "getSubject", "deleteSubject"]) {
    await fresh.call(GOOD[operation][0]);
  }
  for (const operation of ["match", "verify", "deleteImage", "getThumbnail"]) await fresh.call(...GOOD[operation]);
  await fresh.call("GET /playground/nope.js");
  await fresh.call("PUT /collections/c");
  await fresh.call(...GOOD.putSubject);
  await call("POST /match", { json: embedding });
  await call("POST /verify", { json: { a: embedding, b: embedding } });
  await call(`POST ${SUBJECT}/images`, { json: embedding });
  const cut = image.slice(0, 60);
  for (const operation of ["match", "embed", "preview", "enrolImage"]) await call(GOOD[operation][0], { image: cut });
  await call("POST /verify", { form: { a: cut, b: cut } });
  assert.deepEqual([...contract.told].filter((status) => !contract.seen.has(status)), []);
});

Deno.test("an answer that is not documented, or not as it is documented, is noticed", () => {
  const answer = { status: 200, headers: new Headers({ "content-type": "application/json", "x-request-id": "a" }) };
  contract.assertKept("GET /health/live", { ...answer, body: { status: "live" } });
  assert.throws(() => contract.assertKept("GET /health/live", { ...answer, body: { status: "dead" } }));
  assert.throws(() => contract.assertKept("GET /health/live", { ...answer, body: { status: "live", more: 1 } }));
  assert.throws(() => contract.assertKept("GET /health/live", { ...answer, status: 404, body: { status: "live" } }));
  assert.throws(() => contract.assertKept("GET /health/live", { ...answer, headers: new Headers(), body: "live" }));
});

Deno.test("the document says whether keys are needed, and which scope a route needs", async () => {
  const { body } = await newApp({ keys: parseKeys("match:k") }).call("GET /openapi.json");
  const security = ({ paths }: OpenApiDocument, path: string, method: string) => paths[path][method].security;
  assert.deepEqual(security(document, "/match", "post"), [{}, { key: ["match"] }]);
  assert.deepEqual(security(body, "/match", "post"), [{ key: ["match"] }]);
  assert.deepEqual(security(body, "/collections/{collection}", "delete"), [{ key: ["admin"] }]);
  assert.equal(security(body, "/health/live", "get"), undefined);
});

Deno.test("GET /docs tells of every operation, its statuses and schemas, and loads and runs nothing", async () => {
  const { status, body } = await newApp().call("GET /docs");
  assert.equal(status, 200);
  assert.ok(body.length < 300_000, `${body.length} bytes`);
  assert.doesNotMatch(body, /<script|https?:\/\/|undefined|\[object|NaN/);
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, { operationId, responses, parameters, summary }] of Object.entries(methods)) {
      const section = body.split(`<section id="${operationId}">`)[1]?.split("</section>")[0] ?? "";
      const expected = [method.toUpperCase(), path, summary, ...parameters.map(({ name }) => name)];
      for (const text of [...expected, ...Object.keys(responses)]) {
        assert.ok(section.includes(text), `${path}: ${text}`);
      }
    }
  }
  for (const [, target] of body.matchAll(/href="#([^"]+)"/g)) assert.ok(body.includes(`id="${target}"`), target);
});

Deno.test("a client of Hono's knows from the app's type what to send and what comes back", async () => {
  const { app } = newApp();
  const client = hc<AppType>("http://localhost", { fetch: app.request });
  const file = new File([image], "photo.png", { type: "image/png" });
  const at = { collection: "c", subject: "s" };
  const subject = client.collections[":collection"].subjects[":subject"];
  const enrolment = await subject.images.$post({ param: at, form: { image: file } });
  if (enrolment.status !== 201) assert.fail(await enrolment.text());
  const { image: id }: { image: string } = await enrolment.json();
  const found = await client.match.$post({ query: { collection: "c", k: "1" }, form: { image: [file] } });
  if (found.status !== 200) assert.fail((await found.json()).detail);
  const answer = await found.json();
  assert.ok("matches" in answer);
  assert.equal(answer.matches[0].image, id);
  const embedding = { embedding: Array(16).fill(0.25), fingerprint: model.card.fingerprint };
  assert.equal((await client.verify.$post({ json: { a: embedding, b: at } })).status, 200);
  assert.equal((await subject.$delete({ param: at, header: { "if-match": '"stale"' } })).status, 412);
  const page = await client.collections[":collection"].subjects.$get({ param: at, query: { limit: "1" } });
  if (page.status !== 200) assert.fail((await page.json()).detail);
  const { subjects, cursor }: { subjects: { subject: string; images: number }[]; cursor: string | null } = await page
    .json();
  assert.deepEqual([subjects.map(({ subject }) => subject), cursor], [["s"], null]);
});
