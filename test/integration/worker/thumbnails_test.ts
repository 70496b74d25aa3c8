import assert from "node:assert/strict";
import { decode, toInputPixels } from "../../../shared/image/mod.ts";
import { createMemoryGallery } from "../../../worker/gallery/memory.ts";
import { parseKeys } from "../../../worker/keys/key_source.ts";
import { cornersOf, encodeJpeg, quarters, withOrientation } from "../../support/images.ts";
import { model, newApp, snapshot } from "./client.ts";
import { picture } from "./tiny_model.ts";

const IMAGES = "/collections/c/subjects/s/images";

Deno.test("no picture is kept unless the operator has chosen it", async () => {
  const gallery = createMemoryGallery({ snapshot });
  const { app, call } = newApp({ gallery });
  const { body } = await call(`POST ${IMAGES}`, { image: await picture(1) });
  const kept = JSON.stringify(await gallery.snapshot());
  assert.match(kept, /"embedding"/);
  assert.doesNotMatch(kept, /thumbnail/);
  const answer = await app.request(`${IMAGES}/${body.image}/thumbnail`);
  assert.equal(answer.status, 404);
  assert.match((await answer.json()).detail, /TRIPTYCH_THUMBNAILS=1/);
});

Deno.test("a thumbnail is a small, upright JPEG, and is gone with its image", async () => {
  const { app, call } = newApp({ thumbnails: true });
  const photo = withOrientation(await encodeJpeg(quarters(400, 200), 400, 200), 6);
  const { body: { image } } = await call(`POST ${IMAGES}`, { image: photo });
  const answer = await app.request(`${IMAGES}/${image}/thumbnail`);
  assert.deepEqual([answer.status, answer.headers.get("content-type")], [200, "image/jpeg"]);
  const thumbnail = await decode(await answer.bytes());
  assert.deepEqual([thumbnail.width, thumbnail.height], [64, 128]);
  assert.deepEqual(cornersOf(thumbnail), cornersOf(await decode(photo)));
  assert.equal((await call(`DELETE ${IMAGES}/${image}`)).status, 204);
  assert.equal((await app.request(`${IMAGES}/${image}/thumbnail`)).status, 404);
});

Deno.test("an enrolled embedding has no thumbnail", async () => {
  const { app, call } = newApp({ thumbnails: true });
  const embedding = { embedding: [1, ...Array(15).fill(0)], fingerprint: model.card.fingerprint };
  const { body } = await call(`POST ${IMAGES}`, { json: embedding });
  assert.equal((await app.request(`${IMAGES}/${body.image}/thumbnail`)).status, 404);
});

Deno.test("a key that may only match sees neither thumbnails nor the map", async () => {
  const { call } = newApp({ thumbnails: true, keys: parseKeys("match:m,enroll:e") });
  const as = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });
  const { body } = await call(`POST ${IMAGES}`, { image: await picture(1), ...as("e") });
  const statuses = async (key: string) => [
    (await call(`GET ${IMAGES}/${body.image}/thumbnail`, as(key))).status,
    (await call("GET /collections/c/map", as(key))).status,
  ];
  assert.deepEqual(await statuses("m"), [403, 403]);
  assert.deepEqual(await statuses("e"), [200, 403]);
});

Deno.test("POST /preview is what the network sees, to the pixel", async () => {
  const { app } = newApp();
  for (const photo of [await picture(2), await encodeJpeg(quarters(60, 30), 60, 30)]) {
    const answer = await app.request("/preview", {
      method: "POST",
      body: photo,
      headers: { "content-type": "image/x" },
    });
    assert.deepEqual([answer.status, answer.headers.get("content-type")], [200, "image/png"]);
    const { input } = model.card;
    assert.deepEqual(await toInputPixels(await answer.bytes(), input), await toInputPixels(photo, input));
  }
});

Deno.test("the map has every image of a collection where /embed's embedding lies on its axes", async () => {
  const { call } = newApp();
  const pictures = await Promise.all([1, 2, 3, 4].map(picture));
  for (const [i, image] of pictures.entries()) await call(`POST /collections/c/subjects/s${i >> 1}/images`, { image });
  const { body: { images, mean, axes, points } } = await call("GET /collections/c/map");
  assert.equal(images, 4);
  assert.deepEqual(points.map(({ subject }: { subject: string }) => subject), ["s0", "s0", "s1", "s1"]);
  for (const [i, image] of pictures.entries()) {
    const { embedding } = (await call("POST /embed", { image })).body;
    const [x, y] = axes.map((axis: number[]) => axis.reduce((sum, a, j) => sum + a * (embedding[j] - mean[j]), 0));
    assert.ok(Math.hypot(x - points[i].x, y - points[i].y) < 1e-5);
  }
  assert.deepEqual((await call("GET /collections/default/map")).body.points, []);
});
