import assert from "node:assert/strict";
import { framed, squareAround } from "../../../shared/face/mod.ts";
import { decode, encodePng } from "../../../shared/image/mod.ts";
import { readModelFiles } from "../../../shared/model_files.ts";
import { packageFile } from "../../../shared/package_file.ts";
import { createTfjsLazily } from "../../../worker/embedder/lazy_tfjs.ts";
import { openEmbedder } from "../../../worker/embedder/open.ts";
import { createMemoryGallery } from "../../../worker/gallery/memory.ts";
import type { KeySource } from "../../../worker/keys/key.ts";
import { parseKeys } from "../../../worker/keys/key_source.ts";
import { newApp } from "./client.ts";

const MODEL = "samples/face-model";
const files = await readModelFiles(MODEL);
const { card } = files;
const { embedder, look, name } = await openEmbedder(files, createTfjsLazily);
const { fingerprint, embedding: { dimensions } } = card;
/** Photos that come with the npm package, and are read from there: both are of three people. */
const [three, others] = await Promise.all(
  [3, 1].map((number) => Deno.readFile(packageFile(`@vladmandic/face-api/demo/sample${number}.jpg`))),
);
/** The largest face of the other photo, and what is around it. */
const one = await portrait(others, 300);
const product = await Deno.readFile("samples/products/test/Lime/01.jpg");

async function portrait(photo: Uint8Array, size: number): Promise<Uint8Array<ArrayBuffer>> {
  const [{ face }] = await look(photo), square = squareAround(face!.box, 0.3);
  return await encodePng(await framed(await decode(photo), square, size), size, size, 3);
}

function faceApp(deps: { faceSearch?: boolean; keys?: KeySource } = { faceSearch: true }) {
  const model = {
    ...{ card, modelJson: files.modelJson },
    readWeights: async () => (await readModelFiles(MODEL)).weights,
    readFace: async () => (await readModelFiles(MODEL)).face,
  };
  const gallery = createMemoryGallery({ snapshot: { fingerprint, dimensions, collections: [] } });
  return newApp({ model, embedder, look, gallery, ...deps });
}

Deno.test("the bundled model of faces runs as plans", () => assert.match(name, /^plan/));

Deno.test("/embed answers for each of several faces: embedding, box, 68 landmarks and quality", async () => {
  const { call } = faceApp();
  const { status, body } = await call("POST /embed", { image: three });
  assert.equal(status, 200);
  assert.equal(body.faces.length, 3);
  for (const { embedding, face } of body.faces) {
    assert.equal(embedding.length, dimensions);
    assert.equal(face.landmarks.length, 68);
    assert.ok(face.box.width > 20 && face.quality.eyeDistance > 10);
  }
  assert.equal(body.embedding, undefined);
});

Deno.test("/embed answers for one face: the only one, the largest, or one by its number", async () => {
  const { call } = faceApp();
  const all = (await call("POST /embed?face=all", { image: three })).body.faces;
  assert.deepEqual((await call("POST /embed?face=largest", { image: three })).body.face, all[0].face);
  assert.deepEqual((await call("POST /embed?face=3", { image: three })).body.embedding, all[2].embedding);
  assert.ok((await call("POST /embed", { image: one })).body.face.box.score > 0.3);
  assert.equal((await call("POST /embed?face=all", { image: one })).body.faces.length, 1);
});

Deno.test("an image without a face, or without one of that number, is 422 no-face", async () => {
  const { call } = faceApp();
  const requests = ["POST /embed", "POST /match", "POST /preview", "POST /collections/c/subjects/s/images"];
  for (const route of requests) {
    const { status, body } = await call(route, { image: product });
    assert.deepEqual([status, body.type], [422, "no-face"], route);
  }
  const { status, body } = await call("POST /verify", { form: { a: one, b: product } });
  assert.deepEqual([status, body.type], [422, "no-face"]);
  assert.equal((await call("POST /embed?face=4", { image: three })).body.type, "no-face");
  assert.equal((await call("POST /embed?face=0", { image: three })).status, 400);
});

Deno.test("enrolment refuses an image with several faces, unless it is told which", async () => {
  const { call } = faceApp();
  const refused = await call("POST /collections/c/subjects/s/images", { image: three });
  assert.deepEqual([refused.status, refused.body.type], [422, "several-faces"]);
  assert.match(refused.body.detail, /There are 3 faces/);
  const { status, body } = await call("POST /collections/c/subjects/s/images?face=2", { image: three });
  assert.equal(status, 201);
  assert.equal(body.face.landmarks.length, 68);
  assert.equal((await call("POST /collections/c/subjects/s/images?face=all", { image: three })).status, 400);
});

Deno.test("enrolment refuses a face that is not good enough, says in what, and takes it when told to", async () => {
  const { call } = faceApp();
  const small = await portrait(others, 64);
  const refused = await call("POST /collections/c/subjects/s/images", { image: small });
  assert.deepEqual([refused.status, refused.body.type], [422, "poor-face"], JSON.stringify(refused.body));
  assert.match(refused.body.detail, /it is too small \(eyeDistance \d+(\.\d)?\)/);
  assert.equal((await call("POST /collections/c/subjects/s/images?quality=any", { image: small })).status, 201);
});

Deno.test("who was enrolled from one photo is found among the faces of another", async () => {
  const { call } = faceApp();
  for (const face of [1, 2, 3]) {
    await call(`POST /collections/default/subjects/person${face}/images?face=${face}`, { image: three });
  }
  const { body } = await call("POST /match?k=1", { image: three });
  assert.deepEqual(
    body.faces.map(({ matches: [{ subject, match }], face }: Matched) => [subject, match, face.box.score > 0]),
    [["person1", true, true], ["person2", true, true], ["person3", true, true]],
  );
  const largest = await call("POST /match?face=largest", { image: three });
  assert.equal(largest.body.matches[0].subject, "person1");
  assert.ok(largest.body.face.quality.sharpness > 0);
});

interface Matched {
  matches: { subject: string; match: boolean }[];
  face: { box: { score: number } };
}

Deno.test("/verify compares the faces that are meant, or those that lie nearest, and says which", async () => {
  const { call } = faceApp();
  const same = await call("POST /verify?face=2", { form: { a: three, b: three } });
  assert.ok(same.body.same && same.body.distance < 0.01);
  assert.deepEqual(same.body.faces.a, same.body.faces.b);
  const strangers = await call("POST /verify", { form: { a: one, b: three } });
  assert.equal(strangers.body.same, false);
  assert.equal(strangers.body.faces.b.landmarks.length, 68);
});

Deno.test("a model of whole images takes no choice of faces", async () => {
  const { status, body } = await newApp().call("POST /embed?face=largest", { image: product });
  assert.equal(status, 400);
  assert.match(body.detail, /embeds whole images/);
});

Deno.test("faces are compared one to one, and searched for only where the worker is told to", async () => {
  const { call } = faceApp({});
  const { status, body } = await call("POST /match", { image: one });
  assert.equal(status, 403);
  assert.match(body.detail, /TRIPTYCH_FACE_SEARCH=1/);
  await call("POST /collections/default/subjects/anna/images", { image: one });
  const b = JSON.stringify({ collection: "default", subject: "anna" });
  assert.equal((await call("POST /verify", { form: { a: one, b } })).body.same, true);
});

Deno.test("a key of the scope verify compares one to one and does not search; one of match does both", async () => {
  const { call } = faceApp({ faceSearch: true, keys: parseKeys("verify:one,match:many") });
  const as = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });
  const refused = await call("POST /match", { image: one, ...as("one") });
  assert.equal(refused.status, 403);
  assert.match(refused.body.detail, /no scope "match"/);
  for (const key of ["one", "many"]) {
    assert.equal((await call("POST /verify", { form: { a: one, b: one }, ...as(key) })).status, 200);
  }
  assert.equal((await call("POST /match", { image: one, ...as("many") })).status, 200);
});

Deno.test("faces are kept for 90 days unless another time is said, or none", async () => {
  const { call } = faceApp();
  const daysLeft = async (subject: string) => {
    const { expiresAt } = (await call(`GET /collections/default/subjects/${subject}`)).body;
    return expiresAt === null ? null : Math.round((Date.parse(expiresAt) - Date.now()) / 864e5);
  };
  await call("POST /collections/default/subjects/anna/images", { image: one });
  assert.equal(await daysLeft("anna"), 90);
  await call("PUT /collections/default/subjects/ben", { json: { metadata: { consent: "yes" } } });
  assert.equal(await daysLeft("ben"), 90);
  await call("PUT /collections/default/subjects/ben", { json: { expiresAt: null } });
  await call("POST /collections/default/subjects/ben/images", { image: one });
  assert.equal(await daysLeft("ben"), null);
});

Deno.test("the files of a model of faces are to be had whole, detectors and landmarks too", async () => {
  const { app } = faceApp();
  const { face } = await readModelFiles(
    `http://localhost/model/files/${fingerprint}`,
    async (url) => await app.request(url),
  );
  const { face: expected } = await readModelFiles(MODEL);
  assert.deepEqual(face, expected);
});
