import assert from "node:assert/strict";
import { type Answer, embedder, newApp } from "./client.ts";
import { picture } from "./tiny_model.ts";

const pictures = await Promise.all([0, 1, 2].map(picture));
const text = new TextEncoder().encode("this is a text, not a photo of anything");

async function enrolled(deps: Parameters<typeof newApp>[0] = {}) {
  const app = newApp(deps);
  for (const [i, image] of pictures.entries()) await app.call(`POST /collections/c/subjects/s${i}/images`, { image });
  return app;
}

/** An answer without how long it took. */
function timeless({ timing: _, ...rest }: Answer["body"]): unknown {
  return rest;
}

Deno.test("several images in one form are answered in order, each as it would be alone", async () => {
  const { call } = await enrolled();
  const route = "POST /match?collection=c&k=2&fmr=0.1&excludeSubject=s1";
  const { status, body, headers } = await call(route, { form: { image: [pictures[2], pictures[0], pictures[2]] } });
  assert.equal(status, 200);
  assert.deepEqual(Object.keys(body), ["results"]);
  for (const [i, number] of [2, 0, 2].entries()) {
    assert.deepEqual(timeless(body.results[i]), timeless((await call(route, { image: pictures[number] })).body));
  }
  assert.match(headers.get("server-timing") ?? "", /^decode;dur=[\d.]+, embed;dur=[\d.]+, search;dur=[\d.]+$/);
});

Deno.test("one image in a form is answered as it is in a raw body", async () => {
  const { call } = await enrolled();
  const alone = await call("POST /match?collection=c", { form: { image: [pictures[0]] } });
  assert.deepEqual(
    timeless(alone.body),
    timeless((await call("POST /match?collection=c", { image: pictures[0] })).body),
  );
});

Deno.test("an image that cannot be used has its problem in its place, and the others their answers", async () => {
  const { call } = await enrolled();
  const form = { image: [text, pictures[1], pictures[0].slice(0, 60)] };
  const { status, body: { results } } = await call("POST /match?collection=c", { form });
  assert.equal(status, 200);
  const alone = [
    await call("POST /match?collection=c", { image: text }),
    await call("POST /match", { image: form.image[2] }),
  ];
  assert.deepEqual([results[0], results[2]], alone.map(({ body }) => body));
  assert.deepEqual([results[0].status, results[2].status], [415, 422]);
  assert.equal(results[1].matches[0].subject, "s1");
});

Deno.test("a filter counts for all images of a form", async () => {
  const { call } = await enrolled();
  await call("PUT /collections/c/subjects/s2", { json: { metadata: { kind: "juice" } } });
  const form = { image: [pictures[0], pictures[1]], filter: '{"kind":"juice"}' };
  for (const { subjects, matches } of (await call("POST /match?collection=c", { form })).body.results) {
    assert.deepEqual([subjects, matches[0].subject], [1, "s2"]);
  }
});

Deno.test("what is wrong with the whole request is no image's problem", async () => {
  const { call } = await enrolled();
  const form = { image: [pictures[0], pictures[1]] };
  assert.equal((await call("POST /match?collection=nope", { form })).status, 404);
  assert.equal((await call("POST /match?collection=c&k=0", { form })).status, 400);
  assert.equal((await call("POST /match?collection=c", { form: { image: [pictures[0], "a text"] } })).status, 400);
  assert.equal(
    (await call("POST /match?collection=c", { form: { image: [pictures[0], new Uint8Array(0)] } })).status,
    400,
  );
  const tooMany = await call("POST /match?collection=c", { form: { image: Array(33).fill(pictures[0]) } });
  assert.deepEqual([tooMany.status, /at most 32/.test(tooMany.body.detail)], [400, true]);
  assert.equal(
    (await call("POST /match?collection=c", { form: { image: Array(32).fill(text) } })).body.results.length,
    32,
  );
  for (const route of ["POST /embed", "POST /collections/c/subjects/s0/images"]) {
    assert.equal((await call(route, { form })).status, 400);
  }
  const failing = newApp({ embedder: { embed: () => Promise.reject(new Error("broken")) } });
  assert.equal((await failing.call("POST /match", { form })).status, 500);
});

Deno.test("a batch holds one place in the queue, and an image that finds it full has that as its problem", async () => {
  const { call } = await enrolled({ queue: 0 });
  const form = { image: [pictures[0], pictures[1], pictures[2]] };
  assert.deepEqual((await call("POST /match?collection=c", { form })).body.results.map(statusOf), [200, 200, 200]);
  let release = () => {};
  const gate = new Promise<void>((resolve) => release = resolve);
  let runs = 0;
  const slow = newApp({
    queue: 0,
    embedder: {
      async embed(pixels) {
        if (runs++ === 0) await gate;
        return await embedder.embed(pixels);
      },
    },
  });
  const first = slow.call("POST /embed", { image: pictures[0] });
  const batch = await slow.call("POST /match", { form });
  assert.deepEqual(batch.body.results.map(statusOf), [503, 503, 503]);
  release();
  assert.equal((await first).status, 200);
});

function statusOf(result: { status?: number }): number {
  return result.status ?? 200;
}
