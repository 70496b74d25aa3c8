import assert from "node:assert/strict";
import { type Call, model, newApp } from "./client.ts";
import { picture } from "./tiny_model.ts";

const pictures = await Promise.all([0, 1].map(picture));

Deno.test("enrolment answers 201 with subject, image and how many images there are", async () => {
  const { call } = newApp();
  const first = await call("POST /collections/c/subjects/a%20b%2Fé/images", { image: pictures[0] });
  assert.equal(first.status, 201);
  assert.deepEqual([first.body.subject, first.body.images], ["a b/é", 1]);
  assert.match(first.body.image, /^[0-9A-HJKMNP-TV-Z]{26}$/);
  const second = await call("POST /collections/c/subjects/a%20b%2Fé/images", { image: pictures[1] });
  assert.equal(second.body.images, 2);
  const { body, headers } = await call("GET /collections/c/subjects/a%20b%2Fé");
  assert.deepEqual(body.images.map(({ image }: { image: string }) => image), [first.body.image, second.body.image]);
  assert.ok(!Number.isNaN(Date.parse(body.images[0].createdAt)));
  assert.equal(headers.get("etag"), second.headers.get("etag"));
});

Deno.test("the same Idempotency-Key makes one image, and with another image it is 409", async () => {
  const { call } = newApp();
  const enrol = (image: Uint8Array<ArrayBuffer>) =>
    call("POST /collections/c/subjects/a/images", { image, headers: { "idempotency-key": "k1" } });
  const [first, second] = [await enrol(pictures[0]), await enrol(pictures[0])];
  assert.deepEqual([second.status, second.body], [first.status, first.body]);
  assert.equal(second.body.images, 1);
  assert.equal((await enrol(pictures[1])).status, 409);
});

Deno.test("an Idempotency-Key means the image, not the way in which it is sent, and counts for its subject", async () => {
  const { call } = newApp();
  const headers = { "idempotency-key": "k1" };
  const enrol = (subject: string, content: Call) =>
    call(`POST /collections/c/subjects/${subject}/images`, { ...content, headers });
  const { image } = (await enrol("a", { image: pictures[0] })).body;
  assert.equal((await enrol("a", { form: { image: pictures[0] } })).body.image, image);
  assert.notEqual((await enrol("b", { image: pictures[1] })).body.image, image);
  const embedding = { embedding: [1, ...Array(15).fill(0)], fingerprint: model.card.fingerprint };
  assert.equal((await enrol("a", { json: embedding })).status, 409);
  assert.equal((await enrol("e", { json: embedding })).body.image, (await enrol("e", { json: embedding })).body.image);
  assert.equal((await enrol("e", { json: { ...embedding, embedding: [0, 1, ...Array(14).fill(0)] } })).status, 409);
});

Deno.test("an Idempotency-Key is known as long as its image is there, and through changes of the subject", async () => {
  const { call } = newApp();
  const enrol = () => {
    const headers = { "idempotency-key": "k1" };
    return call("POST /collections/c/subjects/a/images", { image: pictures[0], headers });
  };
  const { image } = (await enrol()).body;
  await call("POST /collections/c/subjects/a/images", { image: pictures[1] });
  await call("PUT /collections/c/subjects/a", { json: { metadata: { n: 1 } } });
  const again = await enrol();
  assert.deepEqual([again.status, again.body.image, again.body.images], [201, image, 2]);
  await call(`DELETE /collections/c/subjects/a/images/${image}`);
  const anew = await enrol();
  assert.deepEqual([anew.status, anew.body.image === image, anew.body.images], [201, false, 2]);
});

Deno.test("the same Idempotency-Key at the same time makes one image", async () => {
  const { call } = newApp();
  const headers = { "idempotency-key": "k1" };
  const answers = await Promise.all([1, 2, 3, 4].map(() => {
    return call("POST /collections/c/subjects/a/images", { image: pictures[0], headers });
  }));
  assert.equal(new Set(answers.map(({ body }) => body.image)).size, 1);
  assert.deepEqual(answers.map(({ status, body }) => [status, body.images]), Array(4).fill([201, 1]));
});

Deno.test("an Idempotency-Key that is no key is 400", async () => {
  const { call } = newApp();
  for (const key of ["", "a b", "x".repeat(256)]) {
    const headers = { "idempotency-key": key };
    assert.equal((await call("POST /collections/c/subjects/a/images", { image: pictures[0], headers })).status, 400);
  }
});

Deno.test("images are enrolled and deleted only where If-Match holds, and a repeated request where it once did", async () => {
  const { call } = newApp();
  const enrol = (headers: Record<string, string>) => {
    return call("POST /collections/c/subjects/a/images", { image: pictures[0], headers });
  };
  assert.equal((await enrol({ "if-match": "*" })).status, 412);
  assert.equal((await call("GET /collections/c")).status, 404);
  const first = await enrol({}), etag = first.headers.get("etag") ?? "";
  const second = await enrol({ "if-match": etag, "idempotency-key": "k" });
  assert.deepEqual([second.status, second.body.images], [201, 2]);
  assert.equal((await enrol({ "if-match": etag })).status, 412);
  assert.equal((await enrol({ "if-match": etag, "idempotency-key": "k" })).body.image, second.body.image);
  const remove = (etag: string) => {
    return call(`DELETE /collections/c/subjects/a/images/${first.body.image}`, { headers: { "if-match": etag } });
  };
  assert.equal((await remove(etag)).status, 412);
  assert.equal((await remove(second.headers.get("etag") ?? "")).status, 204);
  assert.equal((await remove("*")).status, 404);
});

Deno.test("DELETE of an image or a subject is complete and at once", async () => {
  const { call } = newApp();
  const kept = (await call("POST /collections/c/subjects/a/images", { image: pictures[0] })).body.image;
  const gone = (await call("POST /collections/c/subjects/a/images", { image: pictures[1] })).body.image;
  assert.equal((await call(`DELETE /collections/c/subjects/a/images/${gone}`)).status, 204);
  assert.equal((await call(`DELETE /collections/c/subjects/a/images/${gone}`)).status, 404);
  assert.equal((await call("POST /match?collection=c", { image: pictures[1] })).body.matches[0].image, kept);
  assert.equal((await call("DELETE /collections/c/subjects/a")).status, 204);
  assert.equal((await call("GET /collections/c/subjects/a")).status, 404);
  assert.deepEqual((await call("POST /match?collection=c", { image: pictures[0] })).body.matches, []);
});
