import assert from "node:assert/strict";
import { ImageError } from "../../../shared/errors.ts";
import { createImageJobs } from "../../../worker/embedder/image_jobs.ts";
import { wholeImage } from "../../../worker/embedder/look.ts";
import { openPool, type PoolOptions, poolSize } from "../../../worker/embedder/pool.ts";
import { OverloadedError } from "../../../worker/embedder/queue.ts";
import { openServiceHere } from "../../../worker/embedder/service.ts";
import type { LogEntry } from "../../../worker/middleware/request_log.ts";
import { encodeJpeg, encodeWebp, quarters } from "../../support/images.ts";
import { embedder, model, newApp } from "./client.ts";
import { picture } from "./tiny_model.ts";

const PLAIN = new URL("../../../worker/image_thread.ts", import.meta.url);
const POISONED = new URL("../../support/poisoned_thread.ts", import.meta.url);
const DEADLINE = 200;

/** At which the thread computes for longer than the deadline, and at which it breaks off. */
const [slow, breaking] = await Promise.all([encodeJpeg, encodeWebp].map((encode) => encode(quarters(16, 16), 16, 16)));
const pictures = await Promise.all([0, 1, 2, 3].map(picture));
const readModel = () => Promise.resolve({ ...model, weights: model.weights.slice() });
const here = await openServiceHere(await readModel());
const expected = await Promise.all(pictures.map(async (image) => (await here.jobs.embed(image)).found));

async function pool(options: Partial<PoolOptions> = {}) {
  const log: LogEntry[] = [];
  const given = { url: POISONED, size: 2, deadline: DEADLINE, readModel, log: (entry: LogEntry) => log.push(entry) };
  const service = await openPool({ ...given, model: readModel(), ...options });
  return { ...service, log, [Symbol.asyncDispose]: service.close };
}

async function until(condition: () => boolean): Promise<void> {
  const start = performance.now();
  while (!condition()) {
    assert.ok(performance.now() - start < 20_000, "it does not come about");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

Deno.test("a pool gives the embeddings of this thread, to the bit, whichever of its threads computes", async () => {
  await using service = await pool({ url: PLAIN });
  const again = [...pictures, ...pictures, ...pictures];
  const actual = await Promise.all(again.map((image) => service.jobs.embed(image)));
  actual.forEach(({ found }, i) => assert.deepEqual(found, expected[i % pictures.length]));
  assert.ok(actual.every(({ timing: { decode, embed } }) => decode > 0 && embed > 0));
});

Deno.test("a pool gives previews and thumbnails as this thread does, and leaves the bytes where they are", async () => {
  await using service = await pool({ url: PLAIN, size: 1 });
  const jobs = createImageJobs(embedder, wholeImage(model.card), model.card.input);
  const image = pictures[0].slice();
  assert.deepEqual(await service.jobs.preview(image), await jobs.preview(image));
  assert.deepEqual(await service.jobs.thumbnail(image), await jobs.thumbnail(image));
  await assert.rejects(service.jobs.embed(new Uint8Array([1])), { name: "ImageError", fault: "unsupported" });
  assert.deepEqual(image, pictures[0]);
});

Deno.test("an image that takes too long is given up at the deadline, and what follows is embedded as ever", async () => {
  await using service = await pool({ size: 1 });
  const start = performance.now();
  await assert.rejects(
    service.jobs.embed(slow),
    (error) => error instanceof ImageError && /too long/.test(error.message),
  );
  const took = performance.now() - start;
  assert.ok(took >= DEADLINE - 1 && took < DEADLINE + 500, `${took} ms`);
  assert.deepEqual((await service.jobs.embed(pictures[1])).found, expected[1]);
  await until(service.isHealthy);
});

Deno.test("while one thread is held up, the other one embeds", async () => {
  await using service = await pool({ deadline: 20_000 });
  const held = service.jobs.embed(slow).then(() => "answered", () => "refused");
  const other = service.jobs.embed(pictures[2]);
  assert.equal(await Promise.race([held, other.then(() => "embedded")]), "embedded");
  assert.equal(await held, "refused");
});

Deno.test("a pool is not healthy while as many threads as it has are held up, starts no more of them, and recovers", async () => {
  await using service = await pool({ size: 1 });
  assert.ok(service.isHealthy());
  for (let i = 0; i < 2; i++) {
    await assert.rejects(service.jobs.embed(slow), ImageError);
    assert.ok(!service.isHealthy());
  }
  await assert.rejects(service.jobs.embed(pictures[0]), OverloadedError);
  await until(service.isHealthy);
  assert.deepEqual((await service.jobs.embed(pictures[0])).found, expected[0]);
});

Deno.test("a thread that breaks off is answered for, and another takes its place", async () => {
  await using service = await pool({ size: 1, deadline: 20_000 });
  for (let i = 0; i < 2; i++) {
    await assert.rejects(service.jobs.embed(breaking), /broke off/);
    assert.deepEqual((await service.jobs.embed(pictures[3])).found, expected[3]);
  }
  assert.ok(service.isHealthy());
  assert.deepEqual(service.log.map(({ level }) => level), ["error", "error"]);
});

Deno.test("openPool() refuses a model whose goldens its runtime does not reproduce", async () => {
  const { card } = model, goldens = [{ ...card.goldens[0], embedding: card.goldens[1].embedding }];
  const wrong = { ...await readModel(), card: { ...card, goldens } };
  await assert.rejects(pool({ url: PLAIN, model: Promise.resolve(wrong) }), {
    name: "ModelError",
    message: /golden input 0/,
  });
});

Deno.test("poolSize() is that of the machine, with fewer threads for models that would fill it", () => {
  const of = (...shape: number[]) => ({ ...model.modelJson, weightsManifest: [{ paths: [], weights: [spec(shape)] }] });
  const spec = (shape: number[]) => ({ name: "w", shape, dtype: "float32" as const });
  assert.equal(poolSize(of(3, 3), 2), 2);
  assert.equal(poolSize(of(3, 3), 64), 7);
  assert.equal(poolSize(of(25_000_000), 8), 3);
  assert.equal(poolSize(of(1000, 1_000_000), 8), 1);
});

Deno.test("a worker answers an image that takes too long with 422, one that breaks a thread with 500, and the next as ever", async () => {
  await using images = await pool({ size: 1 });
  const { call } = newApp({ images });
  assert.equal((await call("POST /embed", { image: slow })).status, 422);
  assert.equal((await call("POST /embed", { image: breaking })).status, 500);
  const { status, body } = await call("POST /embed", { image: pictures[0] });
  assert.equal(status, 200);
  assert.deepEqual(Float32Array.from(body.embedding), expected[0][0].embedding);
  await until(images.isHealthy);
});

Deno.test("a worker whose threads are held up for good says so at /health", async () => {
  const { call } = newApp({ state: () => "stuck" });
  for (const route of ["GET /health/live", "GET /health/ready"]) {
    const { status, body } = await call(route);
    assert.equal(status, 503);
    assert.match(body.detail, /start it anew/);
  }
});
