import assert from "node:assert/strict";
import { createMemoryGallery } from "../../../worker/gallery/memory.ts";
import { openGallery } from "../../../worker/gallery/open.ts";
import { parseKeys } from "../../../worker/keys/key_source.ts";
import { type Client, model, newApp, snapshot } from "./client.ts";
import { picture } from "./tiny_model.ts";

const { fingerprint, embedding: { dimensions } } = model.card;
const image = await picture(1);
const HELD = ["far-from-subject"];

/** An embedding at a distance from the first axis: its thresholds are 0.5 and 0.8. */
function at(distance: number): { embedding: number[]; fingerprint: string } {
  const cosine = 1 - distance ** 2 / 2;
  const embedding = [cosine, Math.sqrt(1 - cosine ** 2), ...Array(dimensions - 2).fill(0)];
  return { embedding, fingerprint };
}

function enrol(call: Client, subject: string, distance: number, headers = {}) {
  return call(`POST /collections/c/subjects/${subject}/images`, { json: at(distance), headers });
}

async function subjects(call: Client): Promise<[string, number][]> {
  const { body } = await call("GET /collections/c/subjects");
  return body.subjects.map(({ subject, images }: { subject: string; images: number }) => [subject, images]);
}

Deno.test("an image far from its subject's others, or close to another subject, waits; others are enrolled", async () => {
  const { call } = newApp({ review: true });
  const outcome = async (subject: string, distance: number) => {
    const { status, body } = await enrol(call, subject, distance);
    return status === 202 ? body.doubts : status;
  };
  assert.equal(await outcome("a", 0), 201);
  assert.equal(await outcome("a", 0.79), 201);
  assert.deepEqual(await outcome("a", 1.7), HELD);
  assert.deepEqual(await outcome("b", 0.4), ["close-to-other"]);
  assert.equal(await outcome("b", 1.9), 201);
  assert.deepEqual(await outcome("b", 0.1), ["far-from-subject", "close-to-other"]);
  assert.deepEqual(await subjects(call), [["a", 2], ["b", 1]]);
  const { matches } = (await call("POST /match?collection=c", { json: at(1.7) })).body;
  assert.ok(matches.every(({ distance }: { distance: number }) => distance > 0.1), "what waits is not matched");
  const plain = newApp().call;
  for (const distance of [0, 1.7]) assert.equal((await enrol(plain, "a", distance)).status, 201);
});

Deno.test("what waits is listed, accepted or refused by an administrator, and by nobody else", async () => {
  const { call } = newApp({ review: true, keys: parseKeys("enroll:e,admin:a") });
  const as = (key: string): Client => (route, request = {}) =>
    call(route, { ...request, headers: { authorization: `Bearer ${key}`, ...request.headers } });
  for (const distance of [0, 1.7, 1.8]) await enrol(as("e"), "s", distance);
  const reviews = async () => (await as("a")("GET /collections/c/reviews")).body.reviews;
  const [first, second] = await reviews();
  assert.deepEqual([first.subject, first.doubts, second.doubts], ["s", HELD, HELD]);
  const path = ({ review }: { review: string }) => `/collections/c/subjects/s/reviews/${review}`;
  for (const route of ["GET /collections/c/reviews", `POST ${path(first)}`, `DELETE ${path(first)}`]) {
    assert.equal((await as("e")(route)).status, 403);
  }
  const accepted = await as("a")(`POST ${path(first)}`);
  assert.deepEqual([accepted.status, accepted.body.images], [201, 2]);
  assert.deepEqual(
    (await reviews()).map((held: { doubts: string[] }) => held.doubts),
    [[]],
    "it is near what was accepted",
  );
  assert.equal((await as("a")(`DELETE ${path(second)}`)).status, 204);
  assert.deepEqual(await reviews(), []);
  for (const method of ["POST", "DELETE"]) assert.equal((await as("a")(`${method} ${path(first)}`)).status, 404);
  assert.deepEqual(await subjects(as("e")), [["s", 2]]);
});

Deno.test("what waits comes in pages by subject, and shows up as no collection", async () => {
  const { call } = newApp({ review: true });
  await enrol(call, "a", 0);
  for (const subject of ["x", "y", "z"]) await enrol(call, subject, 0.1);
  const seen: string[] = [];
  for (let cursor = ""; cursor !== null;) {
    const { body } = await call(`GET /collections/c/reviews?limit=2${cursor && `&cursor=${cursor}`}`);
    seen.push(...body.reviews.map(({ subject }: { subject: string }) => subject));
    cursor = body.cursor;
  }
  assert.deepEqual(seen, ["x", "y", "z"]);
  const { collections } = (await call("GET /collections")).body;
  assert.deepEqual(collections.map(({ collection }: { collection: string }) => collection), ["c", "default"]);
  assert.equal((await call("GET /collections/review%1Fc/subjects")).status, 400);
});

Deno.test("a request that is repeated waits once, and is answered with its image once that is enrolled", async () => {
  const { call } = newApp({ review: true });
  await enrol(call, "s", 0);
  const again = { "idempotency-key": "k" };
  const [first, second] = [await enrol(call, "s", 1.7, again), await enrol(call, "s", 1.7, again)];
  assert.deepEqual([first.status, second.body.review], [202, first.body.review]);
  const { body } = await call(`POST /collections/c/subjects/s/reviews/${first.body.review}`);
  const third = await enrol(call, "s", 1.7, again);
  assert.deepEqual([third.status, third.body.image, third.body.images], [201, body.image, 2]);
});

Deno.test("what waits is deleted with its subject and its collection, and lasts as the gallery lasts", async () => {
  const folder = await Deno.makeTempDir({ prefix: "triptych-reviews-" });
  const open = () => openGallery({ kind: "sqlite", path: `${folder}/gallery.sqlite` }, model.card);
  const waiting = async (call: Client) => (await call("GET /collections/c/reviews")).body.reviews.length;
  let gallery = await open();
  await enrol(newApp({ gallery }).call, "s", 0);
  for (const distance of [1.7, 1.8]) await enrol(newApp({ gallery, review: true }).call, "s", distance);
  await gallery.close();
  gallery = await open();
  const { call } = newApp({ gallery, review: true });
  assert.equal(await waiting(call), 2);
  assert.equal((await call("DELETE /collections/c/subjects/s")).status, 204);
  assert.equal(await waiting(call), 0);
  await enrol(call, "s", 0);
  await enrol(call, "s", 1.7);
  await call("DELETE /collections/c");
  assert.equal(await waiting(call), 0);
  await gallery.close();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("an image waits as well as an embedding, with the picture that is kept of it", async () => {
  const gallery = createMemoryGallery({ snapshot });
  const { call } = newApp({ gallery, review: true, thumbnails: true });
  await enrol(call, "a", 0);
  const { embedding } = (await call("POST /embed", { image })).body;
  const opposite = { embedding: embedding.map((value: number) => -value), fingerprint };
  await call("POST /collections/c/subjects/s/images", { json: opposite });
  const { status, body } = await call("POST /collections/c/subjects/s/images", { image });
  assert.deepEqual([status, body.doubts[0]], [202, "far-from-subject"]);
  const accepted = await call(`POST /collections/c/subjects/s/reviews/${body.review}`);
  const { headers } = await call(`GET /collections/c/subjects/s/images/${accepted.body.image}/thumbnail`);
  assert.equal(headers.get("content-type"), "image/jpeg");
});
