import assert from "node:assert/strict";
import workerd from "workerd";
import { build } from "../../../scripts/deploy/build.ts";
import { readModelFiles } from "../../../shared/model_files.ts";
import { encodeSnapshot } from "../../../shared/encode_snapshot.ts";
import { concat } from "../../support/bytes.ts";
import { clientOf, type FormValue } from "./client.ts";
import { startProgram, startWorker } from "./process.ts";
import { picture } from "./tiny_model.ts";

const folder = await Deno.makeTempDir({ prefix: "triptych-runtimes-" });
const MODEL = "samples/model";
const { card } = await readModelFiles(MODEL);
const SHOP = "samples/products/test";
const DENO_DEPLOY = "2.5.6";
const NODE = "22";

/** Photos of several products, and a PNG. */
const photos: Uint8Array<ArrayBuffer>[] = [await picture(0)];
for (const product of [...Deno.readDirSync(SHOP)].map(({ name }) => name).sort().slice(0, 3)) {
  const [first] = [...Deno.readDirSync(`${SHOP}/${product}`)].map(({ name }) => name).sort();
  photos.push(await Deno.readFile(`${SHOP}/${product}/${first}`));
}

/** Enrols all photos but the last, and matches the last, three times at once. */
async function distancesAt(base: string): Promise<[string, number][]> {
  const call = clientOf(base);
  assert.equal((await call("GET /model")).body.fingerprint, card.fingerprint);
  for (const [i, image] of photos.slice(0, -1).entries()) {
    const { status } = await call(`POST /collections/shop/subjects/s${i}/images`, {
      form: { image: image as FormValue },
    });
    assert.equal(status, 201);
  }
  const match = () => call("POST /match?collection=shop", { form: { image: photos.at(-1)! } });
  const [answer, ...others] = (await Promise.all([match(), match(), match()])).map(({ body }) => body.matches);
  for (const other of others) assert.deepEqual(other, answer);
  return answer.map(({ subject, distance }: { subject: string; distance: number }) => [subject, distance]);
}

const reference = await startWorker({ TRIPTYCH_MODEL: MODEL });
const expected = await distancesAt(reference.base);
await reference.stop();

/** Fails unless distances are those of the sources on Deno, but for the rounding: not every runtime has relaxed SIMD. */
function assertSame(distances: [string, number][]): void {
  assert.deepEqual(distances.map(([subject]) => subject), expected.map(([subject]) => subject));
  distances.forEach(([, distance], i) => assert.ok(Math.abs(distance - expected[i][1]) < 1e-5, `${distance}`));
}

/** Starts a built worker, compares its distances with those of the sources on Deno, and stops it. */
async function assertServes(program: string, args: string[], cwd: string, env: Record<string, string> = {}) {
  const settings = { PORT: "0", TRIPTYCH_GALLERY: "memory:", NO_COLOR: "1", ...env };
  const worker = await startProgram(program, args, { cwd, env: settings });
  assertSame(await distancesAt(worker.base));
  const { code, milliseconds } = await worker.stop("SIGINT");
  assert.equal(code, 0);
  assert.ok(milliseconds < 4_000, `it took ${milliseconds} ms`);
}

/** Where npx has put a runtime, which it prints itself. */
async function pathFromNpx(...args: string[]): Promise<string> {
  const npx = new Deno.Command("npx", { args: ["--yes", "--prefer-offline", ...args] });
  return new TextDecoder().decode((await npx.output()).stdout).trim();
}

Deno.test("the sources match at distances above 0", () => {
  assert.equal(expected.length, photos.length - 1);
  assert.ok(expected.every(([, distance]) => distance > 0.1));
});

Deno.test(`the folder for Deno Deploy is below 30 MB and serves on Deno ${DENO_DEPLOY}, without a cache or a flag`, async () => {
  const cwd = `${folder}/deno`;
  const { bytes } = await build("deno", MODEL, cwd);
  assert.ok(bytes < 30e6, `it has ${bytes} bytes`);
  const deno = await pathFromNpx(`deno@${DENO_DEPLOY}`, "eval", "console.log(Deno.execPath())");
  const run = ["run", "--quiet", "--cached-only", "--allow-read", "--allow-env", "--allow-net", "worker/main.js"];
  await assertServes(deno, run, cwd, { DENO_DIR: `${folder}/no-cache` });
});

Deno.test("the folder for Node serves on Node 20, which has no relaxed SIMD", async () => {
  const cwd = `${folder}/node`;
  await build("node", MODEL, cwd);
  await assertServes(await pathFromNpx("node@20", "-p", "process.execPath"), ["worker/main.js"], cwd);
});

Deno.test(`the folder for Node keeps its gallery in a database on Node ${NODE}`, async () => {
  const cwd = `${folder}/node`, env = { TRIPTYCH_GALLERY: `sqlite:${folder}/node.sqlite` };
  await build("node", MODEL, cwd);
  const node = await pathFromNpx(`node@${NODE}`, "-p", "process.execPath");
  await assertServes(node, ["worker/main.js"], cwd, env);
  const settings = { cwd, env: { PORT: "0", ...env } };
  const again = await startProgram(node, ["worker/main.js"], settings);
  const { body } = await clientOf(again.base)("GET /collections/shop/subjects");
  await again.stop("SIGINT");
  assert.equal(body.subjects.length, photos.length - 1);
});

Deno.test("the folder for Node, on one without SQLite, says in one sentence what to do", async () => {
  const cwd = `${folder}/node`, env = { PORT: "0", TRIPTYCH_GALLERY: `sqlite:${folder}/none.sqlite` };
  await build("node", MODEL, cwd);
  const node = await pathFromNpx("node@20", "-p", "process.execPath");
  const { code, stderr } = await new Deno.Command(node, { args: ["worker/main.js"], cwd, env }).output();
  assert.equal(code, 1);
  assert.match(new TextDecoder().decode(stderr), /^This runtime has no SQLite; run the worker on [^\n]+\n$/);
});

Deno.test("the folders for Deno Deploy and for Node serve a snapshot at a URL", async () => {
  const embedding = Float32Array.from({ length: card.embedding.dimensions }, (_, i) => i === 0 ? 1 : 0);
  const images = [{ image: "i", createdAt: "2026-01-02T03:04:05.000Z", embedding }];
  const subjects = [{ subject: "s", metadata: {}, expiresAt: null, revision: "r", images }];
  const snapshot = { fingerprint: card.fingerprint, dimensions: embedding.length };
  const bytes = concat(encodeSnapshot({ ...snapshot, collections: [{ collection: "default", subjects }] }));
  const headers = { etag: '"1"' };
  const answer = (request: Request) =>
    request.headers.has("if-none-match")
      ? new Response(null, { status: 304, headers })
      : new Response(bytes, { headers });
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, answer);
  const deno = await pathFromNpx(`deno@${DENO_DEPLOY}`, "eval", "console.log(Deno.execPath())");
  const run = ["run", "--quiet", "--cached-only", "--allow-read", "--allow-env", "--allow-net", "worker/main.js"];
  const env = { PORT: "0", NO_COLOR: "1", TRIPTYCH_GALLERY: `http://127.0.0.1:${server.addr.port}/gallery` };
  for (const [runtime, program, args] of [["deno", deno, run], ["node", "node", ["worker/main.js"]]] as const) {
    const cwd = `${folder}/${runtime}`;
    await build(runtime, MODEL, cwd);
    const worker = await startProgram(program, [...args], { cwd, env: { ...env, DENO_DIR: `${folder}/no-cache` } });
    const call = clientOf(worker.base), json = { embedding: [...embedding], fingerprint: card.fingerprint };
    assert.equal((await call("POST /match", { json })).body.matches[0].distance, 0);
    assert.equal((await call("PUT /collections/c")).status, 405);
    await worker.stop("SIGINT");
  }
});

Deno.test("the folder for workerd serves on workerd, with WebAssembly imported as modules", async () => {
  const cwd = `${folder}/workerd`;
  await build("workerd", MODEL, cwd);
  using probe = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = probe.addr as Deno.NetAddr;
  probe.close();
  const child = new Deno.Command(workerd.default, {
    args: ["serve", "config.capnp", `--socket-addr=http=127.0.0.1:${port}`],
    cwd,
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const complaints = new Response(child.stderr).text();
  const base = `http://127.0.0.1:${port}`;
  const isReady = () =>
    fetch(`${base}/health/ready`, { signal: AbortSignal.timeout(5_000) }).then(
      (response) => (response.body?.cancel(), response.ok),
      () => false,
    );
  const deadline = performance.now() + 20_000;
  while (!await isReady()) {
    if (performance.now() > deadline) {
      child.kill("SIGKILL");
      assert.fail(await complaints);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  try {
    assertSame(await distancesAt(base));
  } finally {
    child.kill("SIGTERM");
    await Promise.all([child.status, complaints]);
  }
});

globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
