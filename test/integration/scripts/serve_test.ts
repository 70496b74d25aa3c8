import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { workerFlags } from "../../../scripts/worker_flags.ts";
import { USAGE } from "../../../worker/usage.ts";
import { type Outcome, outcomeOf } from "../../support/command.ts";
import { clientOf, model } from "../worker/client.ts";
import { startProgram, type WorkerProcess } from "../worker/process.ts";
import { picture, writeModel } from "../worker/tiny_model.ts";

const TASK = ["task", "--quiet", "serve"];
const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const folder = await Deno.makeTempDir({ prefix: "triptych-serve-" });
const TRIPTYCH_MODEL = `${folder}/model`;
await writeModel(model, TRIPTYCH_MODEL);
await Deno.writeTextFile(`${folder}/keys.json`, '{"keys": []}');
await Deno.writeTextFile(`${folder}/secret.txt`, "s3cret");
const settings = {
  TRIPTYCH_MODEL,
  TRIPTYCH_GALLERY: `sqlite:${folder}/gallery/gallery.sqlite`,
  TRIPTYCH_AUDIT: `${folder}/audit/audit.jsonl`,
  PORT: "0",
};

/** What the runtime says of an attempt that it does not let through; SQLite attaches no database to another. */
const REFUSED = /^NotCapable: |^Error: too many attached databases - max 0$|not found in cache|Requires import access/;

/** `deno task serve`. */
function serve(env: Record<string, string>): Promise<WorkerProcess> {
  return startProgram(Deno.execPath(), TASK, { cwd: ROOT, env: { NO_COLOR: "1", ...settings, ...env } });
}

/** The same where it is expected to end by itself. */
function endOf(env: Record<string, string>, ...args: string[]): Promise<Outcome> {
  const options = { args: [...TASK, ...args], cwd: ROOT, env: { NO_COLOR: "1", ...settings, ...env } };
  return outcomeOf(new Deno.Command(Deno.execPath(), { ...options, stdout: "piped", stderr: "piped" }).spawn());
}

Deno.test("deno task serve enrols, matches and writes its audit log with no permission beyond its settings", async () => {
  const worker = await serve({});
  const call = clientOf(worker.base);
  const image = await picture(1);
  assert.equal((await call("POST /collections/c/subjects/s/images", { image })).status, 201);
  assert.equal((await call("POST /match?collection=c", { image })).body.matches[0].subject, "s");
  for (const path of ["/client.js", "/playground/main.js"]) assert.equal((await call(`GET ${path}`)).status, 200, path);
  assert.equal((await worker.stop()).code, 0);
  assert.match(await Deno.readTextFile(settings.TRIPTYCH_AUDIT), /^\{.*"action":"enrol".*\}\n$/);
});

Deno.test("what takes a served worker over can read and change nothing outside its folders, spawn, call out or fetch code", async () => {
  for (const name of ["gallery", "audit"]) await Deno.mkdir(`${folder}/${name}`, { recursive: true });
  const env = { ...settings, TRIPTYCH_KEYS: `${folder}/keys.json` };
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", ...workerFlags(env), "test/integration/scripts/attempts.ts", folder],
    cwd: ROOT,
    env: { ...env, AWS_SECRET_ACCESS_KEY: "s3cret" },
  }).output();
  const outcomes = Object.entries<string>(JSON.parse(new TextDecoder().decode(stdout)));
  const done = outcomes.filter(([, outcome]) => outcome === "done").map(([name]) => name);
  assert.deepEqual(done, [
    "read the model",
    "read the keys",
    "write beside the gallery",
    "write beside the audit log",
    "see its own variable",
  ]);
  for (const [name, outcome] of outcomes.slice(done.length)) assert.match(outcome, REFUSED, name);
  assert.ok(outcomes.length > 30);
});

Deno.test("the worker's permissions follow its settings: URLs are hosts that it may call, and it changes no snapshot", () => {
  const flags = workerFlags({
    TRIPTYCH_MODEL: "https://models.example/m",
    TRIPTYCH_GALLERY: "http://files.example:8080/g.snapshot?secret",
    TRIPTYCH_KEYS: "match:k",
    PORT: "80",
  });
  assert.ok(flags.includes("--allow-net=0.0.0.0:80,models.example:443,files.example:8080"));
  assert.ok(!flags.some((flag) => /^--allow-(write|run|ffi|sys|import|all)|secret/.test(flag)));
  assert.ok(!flags.some((flag) => /^--allow-\w+$/.test(flag)), "each is a list");
  const postgres = workerFlags({ TRIPTYCH_GALLERY: "postgres://u:secret@db.example/g" });
  assert.ok(postgres.includes("--allow-net=127.0.0.1:8000,db.example:5432") && !String(postgres).includes("secret"));
  assert.ok(workerFlags({ TRIPTYCH_GALLERY: "memory:" }).includes("--allow-net=127.0.0.1:8000"));
  assert.throws(() => workerFlags({ TRIPTYCH_MODEL: "a,b" }), /a,b has a comma in it/);
});

Deno.test("deno task serve ends as its worker ends, and passes signals on to it", async () => {
  const failed = await endOf({ TRIPTYCH_MODEL: "missing" });
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /^Cannot read missing\/model\.json: [^\n]+\n$/);
  assert.equal((await endOf({ PORT: "http" })).code, 2);
  const wrong = await endOf({}, "--port", "9000");
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /^[^\n]*'--port'[^\n]*--help\.\n$/);
  assert.deepEqual(await endOf({ PORT: "http" }, "--help"), { code: 0, stdout: `${USAGE}\n`, stderr: "" });
  const worker = await serve({ TRIPTYCH_AUDIT: "" });
  const { code, milliseconds } = await worker.stop("SIGINT");
  assert.equal(code, 0);
  assert.ok(milliseconds < 4_000, `it took ${milliseconds} ms`);
  await assert.rejects(fetch(worker.base), TypeError);
});

globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
