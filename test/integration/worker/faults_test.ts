import assert from "node:assert/strict";
import { openAuditLog } from "../../../worker/audit/audit_log.ts";
import { followChain } from "../../../worker/audit/chain.ts";
import { auditedGallery } from "../../../worker/audit/audited_gallery.ts";
import { openGallery } from "../../../worker/gallery/open.ts";
import { parseKeys } from "../../../worker/keys/key_source.ts";
import { clientOf, model, newApp } from "./client.ts";
import { startWorker } from "./process.ts";
import { picture, writeModel } from "./tiny_model.ts";

const folder = await Deno.makeTempDir({ prefix: "triptych-faults-" });
const TRIPTYCH_MODEL = `${folder}/model`;
await writeModel(model, TRIPTYCH_MODEL);
const image = await picture(1);
const HOUR = 3_600_000;

Deno.test("a clock that jumps a day ahead or back loses nobody, lifts no limit and breaks no audit log", async () => {
  const path = `${folder}/clock.sqlite`, log = `${folder}/audit.jsonl`;
  const present = Date.now;
  let ahead = 0;
  Date.now = () => present() + ahead;
  try {
    const gallery = auditedGallery(await openGallery({ kind: "sqlite", path }, model.card), await openAuditLog(log));
    const [key] = await parseKeys("admin:k")();
    const { call } = newApp({ gallery, keys: () => Promise.resolve([{ ...key, rate: 9 }]) });
    const ask = (route: string, more = {}) => call(route, { headers: { authorization: "Bearer k" }, ...more });
    const json = { expiresAt: new Date(present() + HOUR).toISOString() };
    assert.equal((await ask("PUT /collections/c/subjects/hour", { json })).status, 201);
    const images: string[] = [];
    for (const jump of [0, 24, -24, 0]) {
      ahead = jump * HOUR;
      const { status, body } = await ask(`POST /collections/c/subjects/s/images`, { image });
      assert.equal(status, 201);
      images.push(body.image);
    }
    assert.equal(new Set(images).size, 4);
    const { body } = await ask("GET /collections/c/subjects/s");
    assert.deepEqual(body.images.map(({ image }: { image: string }) => image), images);
    // It had expired for the clock that was ahead, when the gallery was changed, and does not come back.
    assert.equal((await ask("GET /collections/c/subjects/hour")).status, 404);
    assert.equal((await ask("POST /match?collection=c", { image })).body.matches[0].subject, "s");
    ahead = 24 * HOUR;
    for (let i = 0; i < 2; i++) await ask("GET /model");
    assert.equal((await ask("GET /model")).status, 429, "a minute is one of the machine, not of the clock");
    await gallery.close();
  } finally {
    Date.now = present;
  }
  assert.equal(followChain(await Deno.readTextFile(log), log).lines, 4);
  const again = await openGallery({ kind: "sqlite", path }, model.card);
  assert.equal((await again.subject("c", "s")).images.length, 4);
  await again.close();
});

Deno.test("who is in the middle of a request when the worker is killed gets no answer, and is not enrolled; who had one is", async () => {
  const env = { TRIPTYCH_MODEL, TRIPTYCH_GALLERY: `sqlite:${folder}/killed.sqlite` };
  const worker = await startWorker(env);
  const call = clientOf(worker.base);
  assert.equal((await call("POST /collections/c/subjects/before/images", { image })).status, 201);
  const half = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(image.slice(0, 40)) });
  const pending = fetch(`${worker.base}/collections/c/subjects/during/images`, {
    method: "POST",
    headers: { "content-type": "image/png" },
    body: half,
  });
  const refused = assert.rejects(pending, TypeError);
  await new Promise((resolve) => setTimeout(resolve, 200));
  await worker.stop("SIGKILL");
  await refused;
  const next = await startWorker(env);
  const { body } = await clientOf(next.base)("GET /collections/c/subjects");
  await next.stop();
  assert.deepEqual(body.subjects.map(({ subject }: { subject: string }) => subject), ["before"]);
});

globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
