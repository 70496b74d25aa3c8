import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { falseMatchProbability, falseMatchRate } from "../../../worker/decision.ts";
import { model, newApp } from "./client.ts";
import { picture } from "./tiny_model.ts";

const pictures = await Promise.all([0, 1, 2, 3, 4].map(picture));
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
const { fingerprint } = model.card;

async function enrolled(count = pictures.length) {
  const app = newApp();
  for (let i = 0; i < count; i++) {
    assert.equal((await app.call(`POST /collections/c/subjects/s${i}/images`, { image: pictures[i] })).status, 201);
  }
  return app;
}

Deno.test("POST /match answers with every field of the interface, nearest first", async () => {
  const { call } = await enrolled();
  const { status, body, headers } = await call("POST /match?collection=c&k=3&fmr=0.1", { image: pictures[1] });
  assert.equal(status, 200);
  const { matches, timing, ...rest } = body;
  assert.deepEqual(rest, {
    collection: "c",
    subjects: 5,
    fingerprint,
    decision: "match",
    threshold: { fmr: 0.1, distance: 0.8 },
  });
  assert.equal(matches.length, 3);
  assert.equal(matches[0].subject, "s1");
  assert.ok(matches[0].distance < 1e-6);
  for (const [i, found] of matches.entries()) {
    assert.deepEqual(Object.keys(found), [
      "subject",
      "image",
      "distance",
      "similarity",
      "match",
      "falseMatchProbability",
      "metadata",
    ]);
    assert.ok(i === 0 || found.distance >= matches[i - 1].distance);
    assert.ok(Math.abs(found.similarity - (1 - found.distance ** 2 / 2)) < 1e-9);
    assert.equal(found.match, found.distance <= 0.8);
    const rate = falseMatchRate(model.card.calibration, found.distance);
    assert.equal(found.falseMatchProbability, falseMatchProbability(rate, 5));
  }
  assert.deepEqual(Object.keys(timing), ["decode", "embed", "search"]);
  assert.match(headers.get("server-timing") ?? "", /^decode;dur=[\d.]+, embed;dur=[\d.]+, search;dur=[\d.]+$/);
});

Deno.test("POST /match takes the same image raw, in a form, in base64 and as its embedding", async () => {
  const { call } = await enrolled();
  const { embedding } = (await call("POST /embed", { image: pictures[2] })).body;
  const answers = [
    await call("POST /match?collection=c", { image: pictures[2] }),
    await call("POST /match?collection=c", { form: { image: pictures[2] } }),
    await call("POST /match?collection=c", { json: { image: base64(pictures[2]) } }),
    await call("POST /match?collection=c", { json: { embedding, fingerprint } }),
  ];
  for (const { status, body } of answers) {
    assert.equal(status, 200);
    assert.deepEqual(body.matches, answers[0].body.matches);
  }
});

Deno.test("POST /match in an empty collection finds nobody", async () => {
  const { call } = newApp();
  const { status, body } = await call("POST /match", { image: pictures[0] });
  assert.equal(status, 200);
  assert.deepEqual([body.collection, body.subjects, body.decision, body.matches], ["default", 0, "no_match", []]);
});

Deno.test("POST /match says no_match where the nearest lies past the threshold, and still names it", async () => {
  const { call } = await enrolled(1);
  const { body } = await call("POST /match?collection=c&fmr=0.01", { image: pictures[1] });
  assert.equal(body.decision, "no_match");
  assert.equal(body.matches[0].match, false);
});

Deno.test("POST /match matches only the same image at a rate that the card does not support, the default among them", async () => {
  const { call } = await enrolled(1);
  const { embedding } = (await call("POST /embed", { image: pictures[0] })).body;
  const near = embedding.map((value: number, i: number) => value + (i === 0 ? 1e-4 : 0));
  for (const [query, fmr] of [["", 0.001], ["&fmr=0.000001", 0.000001], ["&fmr=1e-3", 0.001]] as const) {
    const same = await call(`POST /match?collection=c${query}`, { image: pictures[0] });
    assert.deepEqual([same.body.threshold, same.body.decision], [{ fmr, distance: 0 }, "match"]);
    const other = await call(`POST /match?collection=c${query}`, { json: { embedding: near, fingerprint } });
    assert.equal(other.body.decision, "no_match");
  }
  const supported = await call("POST /match?collection=c&fmr=0.01", { json: { embedding: near, fingerprint } });
  assert.equal(supported.body.decision, "match");
});

Deno.test("POST /match compares only whose metadata contains the filter, from the query, a form or JSON", async () => {
  const { call } = await enrolled();
  await call("PUT /collections/c/subjects/s3", { json: { metadata: { kind: "juice", tags: ["a", "b"] } } });
  const filter = { tags: ["b"] }, text = JSON.stringify(filter);
  const answers = [
    await call(`POST /match?collection=c&filter=${encodeURIComponent(text)}`, { image: pictures[0] }),
    await call("POST /match?collection=c", { form: { image: pictures[0], filter: text } }),
    await call("POST /match?collection=c", { json: { image: base64(pictures[0]), filter } }),
  ];
  for (const { body } of answers) {
    assert.equal(body.subjects, 1);
    assert.deepEqual(body.matches.map(({ subject }: { subject: string }) => subject), ["s3"]);
    assert.deepEqual(body.matches[0].metadata, { kind: "juice", tags: ["a", "b"] });
  }
});

Deno.test("POST /match refuses what is not right in its query with 400", async () => {
  const { call } = await enrolled(1);
  const queries = [
    "k=0",
    "k=101",
    "k=-1",
    "k=abc",
    "k=1.5",
    "k=",
    "fmr=0",
    "fmr=1",
    "fmr=2",
    "fmr=x",
    "fmr=-0.1",
    "fmr=",
    "fmr=Infinity",
    "fmr=0x1",
    "maxDistance=-1",
    "maxDistance=2.1",
    "maxDistance=near",
    "maxDistance=",
    "excludeSubject=",
    "filter=x",
    "filter=[]",
    "filter=null",
  ];
  for (const query of queries) {
    const { status, body } = await call(`POST /match?collection=c&${query}`, { image: pictures[0] });
    assert.equal(status, 400, query);
    assert.ok(body.detail.includes(query.split("=")[0]), `${query}: ${body.detail}`);
  }
});

Deno.test("an embedding is refused if it is another model's, another size or not of unit length", async () => {
  const { call } = await enrolled(1);
  const { embedding } = (await call("POST /embed", { image: pictures[2] })).body;
  const cases: [number, unknown][] = [
    [409, { embedding, fingerprint: `sha256:${"0".repeat(64)}` }],
    [400, { embedding }],
    [422, { embedding: embedding.slice(1), fingerprint }],
    [422, { embedding: embedding.map((x: number) => 2 * x), fingerprint }],
    [422, { embedding: embedding.map(() => 0), fingerprint }],
    [400, { embedding: embedding.map(String), fingerprint }],
    [400, { embedding, fingerprint, image: base64(pictures[2]) }],
  ];
  for (const route of ["POST /match?collection=c", "POST /collections/c/subjects/new/images"]) {
    for (const [expected, json] of cases) assert.equal((await call(route, { json })).status, expected);
  }
  assert.equal((await call("GET /collections/c/subjects/new")).status, 404);
});

Deno.test("POST /match takes the largest distance of a match in place of a rate, and of both the stricter one", async () => {
  const { call } = await enrolled();
  const match = async (query: string) => {
    return (await call(`POST /match?collection=c&k=2&${query}`, { image: pictures[0] })).body;
  };
  const [, other] = (await match("")).matches;
  const near = await match(`maxDistance=${other.distance}`);
  assert.deepEqual(near.threshold, {
    fmr: falseMatchRate(model.card.calibration, other.distance),
    distance: other.distance,
  });
  assert.deepEqual(near.matches.map(({ match }: { match: boolean }) => match), [true, true]);
  const nearer = await match(`maxDistance=${other.distance - 1e-6}`);
  assert.deepEqual(nearer.matches.map(({ match }: { match: boolean }) => match), [true, false]);
  assert.deepEqual((await match("maxDistance=0")).decision, "match");
  assert.deepEqual((await match("fmr=0.1&maxDistance=1.9")).threshold, { fmr: 0.1, distance: 0.8 });
  assert.deepEqual((await match("fmr=0.1&maxDistance=0.5")).threshold, { fmr: 0.01, distance: 0.5 });
});

Deno.test("POST /match leaves out the subject that is excluded, and counts it no more", async () => {
  const { call } = await enrolled();
  const { body } = await call("POST /match?collection=c&k=9&excludeSubject=s1", { image: pictures[1] });
  assert.equal(body.subjects, 4);
  assert.deepEqual(body.matches.map(({ subject }: { subject: string }) => subject).toSorted(), [
    "s0",
    "s2",
    "s3",
    "s4",
  ]);
  const unknown = await call("POST /match?collection=c&excludeSubject=nobody", { image: pictures[1] });
  assert.equal(unknown.body.subjects, 5);
});

Deno.test("POST /match names the image of a subject that lies nearest", async () => {
  const { call } = await enrolled(1);
  const { image } = (await call("POST /collections/c/subjects/s0/images", { image: pictures[3] })).body;
  const { matches } = (await call("POST /match?collection=c", { image: pictures[3] })).body;
  assert.deepEqual([matches.length, matches[0].subject, matches[0].image], [1, "s0", image]);
});
