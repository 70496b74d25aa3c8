import assert from "node:assert/strict";
import { encodeSnapshot } from "../../../shared/encode_snapshot.ts";
import type { ModelFiles } from "../../../shared/model_files.ts";
import { readConfig } from "../../../worker/config.ts";
import { openServiceHere } from "../../../worker/embedder/service.ts";
import { createMemoryGallery } from "../../../worker/gallery/memory.ts";
import type { LogEntry } from "../../../worker/middleware/request_log.ts";
import { startWorker as start } from "../../../worker/start.ts";
import { concat } from "../../support/bytes.ts";
import { clientOf, model, snapshot } from "./client.ts";
import { type Ended, runToEnd } from "./process.ts";
import { picture, tinyModel, writeModel } from "./tiny_model.ts";

const folder = await Deno.makeTempDir({ prefix: "triptych-worker-" });
/** Read anew, as a worker takes the weights away. */
const readModel = () => Promise.resolve({ ...model, weights: model.weights.slice() });
const host = {
  log: () => {},
  readModel,
  openGallery: () => Promise.resolve(createMemoryGallery({ snapshot })),
  openImages: async (files: Promise<ModelFiles>) => await openServiceHere(await files),
};
const TRIPTYCH_MODEL = `${folder}/model`;
await writeModel(model, TRIPTYCH_MODEL);

Deno.test("settings that are not right end the worker with 2 and one sentence", async () => {
  for (
    const [env, pattern] of [
      [{ TRIPTYCH_GALLERY: "redis://h" }, /^TRIPTYCH_GALLERY=redis:\.\.\. .*memory:, sqlite:PATH, kv:/],
      [{ TRIPTYCH_KEYS: "nonsense" }, /^Entry 1 of TRIPTYCH_KEYS/],
      [{ PORT: "http" }, /^PORT=http is not right/],
    ] as const
  ) {
    const ended = await runToEnd({ TRIPTYCH_MODEL, ...env });
    assert.equal(ended.code, 2);
    assertOneSentence(ended, pattern);
  }
});

Deno.test("startWorker() warns once of a card whose photos were too few for the default rate", async () => {
  const log: LogEntry[] = [];
  await start(readConfig({}), { ...host, log: (entry) => log.push(entry) }).ready;
  const warnings = log.filter(({ level }) => level === "warning");
  assert.equal(warnings.length, 1);
  assert.match(
    warnings[0].message,
    /no false-match rate below 0\.01,.*default 0\.001,.*never trained on.*fmr=0\.01 or above\.$/,
  );
});

Deno.test("a worker tells loading, ready and draining apart, and what comes while it loads waits", async () => {
  let load = () => {};
  const loaded = new Promise<void>((resolve) => load = resolve);
  const worker = start(readConfig({}), { ...host, readModel: () => loaded.then(readModel) });
  const call = clientOf("http://localhost", worker.fetch);
  const early = call("POST /match", { image: await picture(0) });
  assert.equal((await call("GET /health/live")).status, 200);
  const loading = await call("GET /health/ready");
  assert.deepEqual([loading.status, loading.headers.get("retry-after")], [503, "1"]);
  assert.match(loading.body.detail, /^The worker is loading:/);
  load();
  assert.equal((await early).status, 200);
  assert.equal((await call("GET /health/ready")).status, 200);
  await worker.drain();
  assert.match((await call("GET /health/ready")).body.detail, /^The worker is draining:/);
});

Deno.test("a model that is missing or fails its goldens ends the worker with 1 and one sentence", async () => {
  const { modelJson, weights, card } = await tinyModel(3);
  card.goldens[1] = { ...card.goldens[1], embedding: card.goldens[2].embedding };
  await writeModel({ modelJson, weights, card }, `${folder}/wrong`);
  for (
    const [directory, pattern] of [["missing", /missing\/model.json/], ["wrong", /golden input 1 has cosine/]] as const
  ) {
    const ended = await runToEnd({ TRIPTYCH_MODEL: `${folder}/${directory}` });
    assert.equal(ended.code, 1);
    assertOneSentence(ended, pattern);
  }
});

Deno.test("a gallery of another model, or a damaged one, ends the worker with 1 and one sentence", async () => {
  const path = `${folder}/other.snapshot`, TRIPTYCH_GALLERY = path;
  const before = concat(encodeSnapshot({ ...snapshot, fingerprint: (await tinyModel(4)).card.fingerprint }));
  await Deno.writeFile(path, before);
  const other = await runToEnd({ TRIPTYCH_MODEL, TRIPTYCH_GALLERY });
  assert.equal(other.code, 1);
  assertOneSentence(other, /was enrolled with the model sha256:/);
  before[before.length >> 1] ^= 4;
  await Deno.writeFile(path, before);
  const damaged = await runToEnd({ TRIPTYCH_MODEL, TRIPTYCH_GALLERY });
  assert.equal(damaged.code, 1);
  assertOneSentence(damaged, /is damaged/);
});

Deno.test("a port that is taken ends the worker with 1 and one sentence", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const ended = await runToEnd({ TRIPTYCH_MODEL, PORT: String((taken.addr as Deno.NetAddr).port) });
  assert.equal(ended.code, 1);
  assertOneSentence(ended, /^Port \d+ is taken/);
});

globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

function assertOneSentence({ stderr }: Ended, pattern: RegExp): void {
  assert.match(stderr, pattern);
  assert.match(stderr, /^[^\n]+\.\n$/);
  assert.doesNotMatch(stderr, /\.ts:\d|^error/);
}
