import assert from "node:assert/strict";
import { openAuditLog } from "../../../worker/audit/audit_log.ts";
import { auditedGallery } from "../../../worker/audit/audited_gallery.ts";
import { followChain } from "../../../worker/audit/chain.ts";
import { createMemoryGallery } from "../../../worker/gallery/memory.ts";
import { clientOf, model, newApp, snapshot } from "./client.ts";
import { runToEnd, startWorker } from "./process.ts";
import { picture, writeModel } from "./tiny_model.ts";

const folder = await Deno.makeTempDir({ prefix: "triptych-audit-" });
const TRIPTYCH_MODEL = `${folder}/model`;
await writeModel(model, TRIPTYCH_MODEL);
const image = await picture(0);
const entriesOf = async (path: string) => {
  return (await Deno.readTextFile(path)).trimEnd().split("\n").map((line) => JSON.parse(line));
};
const verify = (path: string) => runToEnd({}, "scripts/audit.ts", path);

Deno.test("enrolments and deletions are in the log by the time they are answered, without a vector, and what failed is not", async () => {
  const path = `${folder}/entries.jsonl`;
  const gallery = auditedGallery(createMemoryGallery({ snapshot }), await openAuditLog(path));
  const { call } = newApp({ gallery });
  const ids: string[] = [];
  for (let i = 0; i < 2; i++) ids.push((await call("POST /collections/c/subjects/a/images", { image })).body.image);
  await call("PUT /collections/c/subjects/a", { json: { metadata: { secret: "x" } } });
  await call("POST /match?collection=c", { image });
  await call(`DELETE /collections/c/subjects/a/images/${ids[0]}`);
  await call("DELETE /collections/c/subjects/nobody");
  await call("DELETE /collections/c/subjects/a");
  await call("DELETE /collections/c");
  const entries = (await entriesOf(path)).map(({ time: _, previous: __, ...event }) => event);
  assert.deepEqual(entries, [
    { action: "enrol", collection: "c", subject: "a", image: ids[0] },
    { action: "enrol", collection: "c", subject: "a", image: ids[1] },
    { action: "delete-image", collection: "c", subject: "a", image: ids[0] },
    { action: "delete-subject", collection: "c", subject: "a" },
    { action: "delete-collection", collection: "c" },
  ]);
  await gallery.close();
});

Deno.test("a log that another process writes to stops all changes with 503, and nothing more is changed", async () => {
  const path = `${folder}/foreign.jsonl`;
  const gallery = auditedGallery(createMemoryGallery({ snapshot }), await openAuditLog(path));
  const { call } = newApp({ gallery });
  await call("POST /collections/c/subjects/a/images", { image });
  await Deno.writeTextFile(path, "x\n", { append: true });
  assert.equal((await call("POST /collections/c/subjects/b/images", { image })).status, 503);
  assert.equal((await call("DELETE /collections/c/subjects/a")).status, 503);
  const { subjects } = (await call("GET /collections/c/subjects")).body;
  assert.deepEqual(subjects.map(({ subject }: { subject: string }) => subject), ["a"]);
  await gallery.close();
});

Deno.test("kill -9 leaves a chain that the next worker goes on with, and no acknowledged enrolment is missing in it", async () => {
  const path = `${folder}/killed.jsonl`;
  const env = { TRIPTYCH_MODEL, TRIPTYCH_AUDIT: path, TRIPTYCH_GALLERY: `sqlite:${folder}/killed.sqlite` };
  const acknowledged: string[] = [];
  for (let round = 1; round <= 3; round++) {
    const worker = await startWorker(env);
    const call = clientOf(worker.base);
    const enrol = async () => {
      try {
        while (true) {
          const { status, body } = await call("POST /collections/default/subjects/s/images", { image });
          if (status === 201) acknowledged.push(body.image);
          if (acknowledged.length >= 12 * round) worker.child.kill("SIGKILL");
        }
      } catch {
        // It is dead.
      }
    };
    await Promise.all([enrol(), enrol(), enrol()]);
    await worker.stop("SIGKILL").catch(() => {});
    // What a process that is killed within a write leaves.
    await Deno.writeTextFile(path, `{"time":"2026-01-01T0`, { append: true });
  }
  const last = await startWorker(env);
  await last.stop();
  const { code, stdout } = await verify(path);
  assert.equal(code, 0);
  const entries = await entriesOf(path);
  assert.match(stdout, new RegExp(`: ${entries.length} entries,`));
  const logged = new Set(entries.map(({ image }) => image));
  assert.ok(acknowledged.length >= 36 && acknowledged.every((id) => logged.has(id)));
});

Deno.test("a log that was tampered with fails the check with 1 and one sentence, and no worker goes on with it", async () => {
  const path = `${folder}/tampered.jsonl`;
  const log = await openAuditLog(path);
  for (const subject of ["a", "b", "c"]) await log.append({ action: "delete-subject", collection: "c", subject });
  await log.close();
  const text = await Deno.readTextFile(path);
  assert.equal(followChain(text, path).lines, 3);
  await Deno.writeTextFile(path, text.replace(`"b"`, `"x"`));
  for (const ended of [await verify(path), await runToEnd({ TRIPTYCH_MODEL, TRIPTYCH_AUDIT: path })]) {
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, /^(error: )?The audit log in \S+ is broken at line 3: [^\n]+\.\n$/);
  }
});

globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
