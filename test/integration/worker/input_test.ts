import assert from "node:assert/strict";
import { encodePng } from "../../../shared/image/mod.ts";
import { encodeJpeg, encodeWebp, quarters, withOrientation } from "../../support/images.ts";
import { type Answer, type Call, newApp } from "./client.ts";
import { picture } from "./tiny_model.ts";

const good = await picture(1);
const jpeg = await encodeJpeg(quarters(64, 48), 64, 48);
const json = (text: string): Call => ({ body: text, headers: { "content-type": "application/json" } });
const typed = (type: string, body: BodyInit = "hello"): Call => ({ body, headers: { "content-type": type } });

function assertProblem({ status, headers, body }: Answer, expected: number): void {
  assert.equal(status, expected, JSON.stringify(body));
  assert.equal(headers.get("content-type"), "application/problem+json");
  assert.deepEqual(Object.keys(body), ["type", "title", "status", "detail", "instance"]);
  assert.equal(body.status, expected);
  assert.match(body.detail, /^[A-Z"].*\.$/);
  assert.ok(headers.get("x-request-id"));
}

Deno.test("every bad body gets its status and a sentence, and the next good request works", async () => {
  const { call } = newApp();
  const cases: [string, number, Call][] = [
    ["an empty body", 400, { image: new Uint8Array(0) }],
    ["no body", 415, {}],
    ["a text named .jpg", 415, typed("image/jpeg", "this is a text, not a photo of anything")],
    ["a truncated JPEG", 422, { image: jpeg.slice(0, 200) }],
    ["a GIF", 415, typed("image/gif", "GIF89a-and-something-after-it-that-is-long")],
    ["a PDF", 415, typed("application/pdf", "%PDF-1.4")],
    ["a PNG that claims 60,000 x 60,000 pixels", 422, { image: hugePng() }],
    ["JSON that isn't", 400, json("{")],
    ["JSON that is not UTF-8", 400, {
      body: Uint8Array.of(0x22, 0xff, 0x22),
      headers: { "content-type": "application/json" },
    }],
    ["JSON nested without end", 400, json("[".repeat(1_000_000))],
    ["JSON without an image", 400, json("{}")],
    ["JSON null", 400, json("null")],
    ["an image that is a number", 400, json('{"image": 5}')],
    ["an empty image", 400, json('{"image": ""}')],
    ["base64 with stars", 400, json('{"image": "***"}')],
    ["base64 with spaces", 400, json('{"image": "aGVs bG8="}')],
    ["base64 without padding", 400, json('{"image": "aGVsbG8"}')],
    ["base64 of a text", 415, json(`{"image": "${btoa("this is a text, not a photo of anything")}"}`)],
    ["a form that isn't", 400, typed("multipart/form-data; boundary=x")],
    ["a form without a boundary", 400, typed("multipart/form-data")],
    ["a form with another field", 400, { form: { photo: good } }],
    ["a form whose image is a text", 400, { form: { image: "hello" } }],
    ["a form whose image is empty", 400, { form: { image: new Uint8Array(0) } }],
    ["a filter that is no object", 400, { form: { image: good, filter: "5" } }],
  ];
  for (const [what, status, body] of cases) {
    for (const route of ["POST /embed", "POST /match", "POST /collections/c/subjects/s/images"]) {
      const answer = await call(route, body);
      assert.equal(answer.status, status, `${what} to ${route}: ${JSON.stringify(answer.body)}`);
      assertProblem(answer, status);
    }
    assert.equal((await call("POST /embed", { image: good })).status, 200, `after ${what}`);
  }
  assert.equal((await call("GET /collections/c/subjects/s")).status, 404);
});

Deno.test("JPEG, PNG, WebP, a picture of one pixel and a turned photo are taken", async () => {
  const { call } = newApp();
  const pixels = quarters(64, 48);
  const images = [jpeg, await encodeWebp(pixels, 64, 48), good, await encodePng(Uint8Array.of(9, 9, 9), 1, 1, 3)];
  for (const image of images) assert.equal((await call("POST /embed", { image })).status, 200);
  const [upright, turned] = [jpeg, withOrientation(jpeg, 3)];
  const { body } = await call("POST /verify", { form: { a: upright, b: turned } });
  assert.ok(body.distance > 0.1, `the orientation made a distance of ${body.distance}`);
});

Deno.test("/embed answers the same embedding for a raw body, a form and base64, bit for bit", async () => {
  const { call } = newApp();
  const image = (good as Uint8Array & { toBase64(): string }).toBase64();
  const [raw, ...others] = [
    await call("POST /embed", { image: good }),
    await call("POST /embed", { form: { image: good } }),
    await call("POST /embed", { json: { image } }),
  ];
  for (const { body } of others) assert.deepEqual(body.embedding, raw.body.embedding);
});

Deno.test("a body over the limit is 413, whether its length is announced or not", async () => {
  const { call, app } = newApp({ maxBody: 2_000 });
  const large = new Uint8Array(2_001);
  assertProblem(await call("POST /embed", { image: large, headers: { "content-length": "2001" } }), 413);
  const chunks = new ReadableStream({
    start(controller) {
      for (let i = 0; i < 3; i++) controller.enqueue(new Uint8Array(1_000));
      controller.close();
    },
  });
  const request = new Request("http://localhost/embed", {
    method: "POST",
    body: chunks,
    headers: { "content-type": "image/png" },
    duplex: "half",
  } as RequestInit);
  assert.equal((await app.fetch(request)).status, 413);
  assert.equal((await call("POST /embed", { image: good.length <= 2_000 ? good : jpeg })).status, 200);
});

Deno.test("a body that breaks off is 400", async () => {
  const { app } = newApp();
  const broken = new ReadableStream({
    pull(controller) {
      controller.enqueue(good.slice(0, 20));
      controller.error(new Error("connection reset"));
    },
  });
  const init = {
    method: "POST",
    body: broken,
    headers: { "content-type": "image/png" },
    duplex: "half",
  } as RequestInit;
  assert.equal((await app.fetch(new Request("http://localhost/embed", init))).status, 400);
});

/** The header of a PNG that is far over the limit, and nothing else. */
function hugePng(): Uint8Array<ArrayBuffer> {
  const png = good.slice(0, 33);
  new DataView(png.buffer).setUint32(16, 60_000);
  new DataView(png.buffer).setUint32(20, 60_000);
  return png;
}
