import assert from "node:assert/strict";
import { distance } from "../../../shared/distance.ts";
import type { Key } from "../../../worker/keys/key.ts";
import { parseKeys } from "../../../worker/keys/key_source.ts";
import { type Client, clientOf, embedder, model, newApp } from "./client.ts";
import { picture } from "./tiny_model.ts";

const { fingerprint, embedding: { dimensions } } = model.card;
const EDGES = [0, 0.5, 0.8, 2];
const pictures = await Promise.all([0, 1, 2, 3].map(picture));
const keys = await parseKeys("enroll:writer,match:bands,match+scores:scores,match:limited")();
const limited: Key = { ...keys[3], subjectRate: 3 };

/** A worker where four are enrolled, and what its keys get. */
async function worker() {
  const { call } = newApp({ keys: () => Promise.resolve([...keys.slice(0, 3), limited]) });
  const as = (key: string): Client => (route, request = {}) =>
    call(route, { ...request, headers: { authorization: `Bearer ${key}` } });
  for (const [i, image] of pictures.entries()) {
    await as("writer")(`POST /collections/c/subjects/s${i}/images`, { image });
  }
  return as;
}

// deno-lint-ignore no-explicit-any
const distancesOf = ({ body }: { body: any }): number[] => body.matches.map((found: any) => found.distance);

Deno.test("a key sees distances with the scope scores, and without it the edges of their bands, in the same order", async () => {
  const as = await worker();
  const [image] = pictures;
  const exact = await as("scores")("POST /match?collection=c&fmr=0.1", { image });
  const banded = await as("bands")("POST /match?collection=c&fmr=0.1", { image });
  assert.ok(distancesOf(exact).some((distance) => !EDGES.includes(distance)));
  assert.deepEqual(distancesOf(banded), distancesOf(exact).map((distance) => EDGES.find((edge) => edge >= distance)));
  for (const field of ["decision", "threshold"]) assert.deepEqual(banded.body[field], exact.body[field]);
  const told = ({ subject, match }: { subject: string; match: boolean }) => [subject, match];
  assert.deepEqual(banded.body.matches.map(told), exact.body.matches.map(told));
  for (const { distance, similarity, falseMatchProbability } of banded.body.matches) {
    assert.equal(similarity, 1 - distance ** 2 / 2);
    assert.ok([0.01, 0.1, 1].some((rate) => Math.abs(falseMatchProbability - (1 - (1 - rate) ** 4)) < 1e-9));
  }
});

Deno.test("POST /verify tells bands too, and no threshold can be moved to find a distance", async () => {
  const as = await worker();
  const json = { a: pictures[0].toBase64(), b: { collection: "c", subject: "s1" } };
  const exact = (await as("scores")("POST /verify?fmr=0.1", { json })).body;
  const banded = (await as("bands")("POST /verify?fmr=0.1", { json })).body;
  assert.equal(banded.distance, EDGES.find((edge) => edge >= exact.distance));
  assert.equal(banded.same, exact.same);
  for (const route of ["POST /verify", "POST /match"]) {
    const refused = await as("bands")(
      `${route}?maxDistance=0.7`,
      route === "POST /verify" ? { json } : { image: pictures[0] },
    );
    assert.equal(refused.status, 403);
    assert.match(refused.body.detail, /"scores"/);
  }
  const threshold = async (fmr: number) => (await as("bands")(`POST /verify?fmr=${fmr}`, { json })).body.threshold;
  assert.deepEqual(await Promise.all([0.1, 0.099, 0.011, 0.01].map(threshold)), [
    { fmr: 0.1, distance: 0.8 },
    ...Array(3).fill({ fmr: 0.01, distance: 0.5 }),
  ]);
  assert.deepEqual(await threshold(0.001), { fmr: 0.001, distance: 0 });
});

/**
 * Rebuilds an enrolled embedding by what a key is told: a step at random is kept where the distance it gets is less.
 *
 * @returns how far from the enrolled embedding it ends
 */
async function climb(call: Client, target: Float32Array, steps: number): Promise<number> {
  const random = normals(7);
  const ask = async (embedding: number[]) =>
    distancesOf(await call("POST /match?collection=c&excludeSubject=s1", { json: { embedding, fingerprint } }))[0];
  let best = unit(Array.from({ length: dimensions }, random)), nearest = await ask(best);
  for (let step = 0; step < steps; step++) {
    const next = unit(best.map((value) => value + 0.6 * nearest * random() / Math.sqrt(dimensions)));
    const found = await ask(next);
    if (found < nearest) [best, nearest] = [next, found];
  }
  return distance(Float32Array.from(best), target);
}

Deno.test("climbing rebuilds a template from distances, and does not from bands", async () => {
  const { app } = newApp({ keys: () => Promise.resolve(keys) });
  const client = clientOf("http://localhost", (request) => app.fetch(request));
  const as = (key: string): Client => (route, request) =>
    client(route, { ...request, headers: { authorization: `Bearer ${key}` } });
  const target = (await as("scores")("POST /embed", { image: pictures[0] })).body.embedding;
  await as("writer")("POST /collections/c/subjects/s0/images", { image: pictures[0] });
  const template = Float32Array.from(target);
  const [byScores, byBands] = [await climb(as("scores"), template, 400), await climb(as("bands"), template, 400)];
  assert.ok(byScores < 0.1, `by distances it ends at ${byScores}`);
  assert.ok(byBands > 0.7, `by bands it ends at ${byBands}`);
});

Deno.test("a key with a limit for each subject is told so often how near one is, then 429; others are told still", async () => {
  const as = await worker();
  const verify = (subject: string, key = "limited") =>
    as(key)("POST /verify", { json: { a: pictures[0].toBase64(), b: { collection: "c", subject } } });
  for (let i = 0; i < 3; i++) assert.equal((await verify("s0")).status, 200);
  const refused = await verify("s0");
  assert.deepEqual([refused.status, refused.headers.get("ratelimit-policy")], [429, '"subject";q=3;w=60']);
  assert.match(refused.body.detail, /the same subject in 3 requests a minute; try again in \d+ seconds\.$/);
  assert.equal((await as("limited")("POST /match?collection=c", { image: pictures[0] })).status, 429);
  assert.equal((await verify("s1")).status, 200);
  assert.equal((await verify("s0", "bands")).status, 200);
  const beyond = { embedding: Array.from(await embedder.embed(new Uint8Array(8 * 8 * 3))), fingerprint };
  assert.ok(
    distancesOf(await as("scores")("POST /match?collection=c", { json: beyond })).every((distance) => distance > 0.8),
  );
  for (let i = 0; i < 5; i++) {
    assert.equal((await as("limited")("POST /match?collection=c", { json: beyond })).status, 200);
  }
});

/** Numbers of a normal distribution (Box and Muller), from a linear congruential generator. */
function normals(seed: number): () => number {
  let state = seed;
  const uniform = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  return () => Math.sqrt(-2 * Math.log(uniform() + 1e-12)) * Math.cos(2 * Math.PI * uniform());
}

function unit(vector: number[]): number[] {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}
