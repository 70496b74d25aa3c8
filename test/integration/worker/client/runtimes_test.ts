import assert from "node:assert/strict";
import { encodePng } from "../../../../shared/image/mod.ts";
import { createClient, ProblemError } from "../../../../worker/client.ts";
import { createMemoryGallery } from "../../../../worker/gallery/memory.ts";
import { clientOf, model, newApp, snapshot } from "../client.ts";
import { startWorker } from "../process.ts";
import { picture, writeModel } from "../tiny_model.ts";

const folder = await Deno.makeTempDir({ prefix: "triptych-client-" });
const TRIPTYCH_MODEL = `${folder}/model`;
await writeModel(model, TRIPTYCH_MODEL);
const pictures = await Promise.all([0, 1, 2].map(picture));

/** A worker with the pictures enrolled in a collection `c`, each as a subject of its own. */
async function startEnrolled(env: Record<string, string> = {}) {
  const worker = await startWorker({ TRIPTYCH_MODEL, TRIPTYCH_KEYS: "match+enroll:k", ...env });
  const call = clientOf(worker.base), headers = { authorization: "Bearer k" };
  for (const [i, image] of pictures.entries()) {
    await call(`POST /collections/c/subjects/s${i}/images`, { image, headers });
    await call(`PUT /collections/c/subjects/s${i}`, { json: { metadata: { number: i } }, headers });
  }
  return worker;
}

/** The programs that can run the client, and how they take a program. */
const RUNTIMES: Record<string, string[]> = {
  node: [],
  bun: [],
  deno: ["run", "--quiet", "--allow-read", "--allow-net"],
};

for (const [runtime, args] of Object.entries(RUNTIMES)) {
  const version = versionOf(runtime);
  if (version === null) console.log(`The client is not tested on ${runtime}: there is none on the PATH.`);
  Deno.test({
    name: `the client that the worker serves matches files, blobs and bytes on ${runtime} ${version ?? ""}`.trim(),
    ignore: version === null,
    async fn() {
      const worker = await startEnrolled();
      try {
        const module = `${folder}/client.mjs`, image = `${folder}/photo.png`;
        await Deno.writeTextFile(module, await (await fetch(`${worker.base}/client.js`)).text());
        await Deno.writeFile(image, pictures[1]);
        const program = "test/integration/worker/client/match.mjs";
        const { code, stdout, stderr } = await new Deno.Command(runtime, {
          args: [...args, program, module, worker.base, "k", image],
        }).output();
        assert.equal(code, 0, new TextDecoder().decode(stderr));
        assert.deepEqual(JSON.parse(new TextDecoder().decode(stdout)), {
          found: ["s1", "s1", "s1", "s1"],
          refused: [true, 404],
          numbers: 16,
        });
      } finally {
        await worker.stop();
      }
    },
  });
}

Deno.test("every option of a match reaches the worker", async () => {
  const worker = await startEnrolled();
  try {
    const { match } = createClient(`${worker.base}/`, { key: "k" });
    const [image] = pictures;
    const subjects = async (options: Parameters<typeof match>[1]) =>
      (await match(image, { collection: "c", ...options })).matches.map(({ subject }) => subject);
    assert.equal((await subjects({})).length, 3);
    assert.deepEqual(await subjects({ k: 1 }), ["s0"]);
    assert.deepEqual(await subjects({ filter: { number: 2 } }), ["s2"]);
    assert.ok(!(await subjects({ excludeSubject: "s0" })).includes("s0"));
    assert.equal((await match(image, { collection: "c", fmr: 0.1 })).threshold.fmr, 0.1);
    assert.equal((await match(image, { collection: "c", maxDistance: 0.25 })).threshold.distance, 0.25);
  } finally {
    await worker.stop();
  }
});

Deno.test("a problem is thrown with its status and sentence", async () => {
  const worker = await startEnrolled();
  try {
    const { match } = createClient(worker.base, { key: "k" });
    const { match: stranger } = createClient(worker.base, { key: "unknown" });
    const is = (status: number, sentence: RegExp) => (error: unknown) =>
      error instanceof ProblemError && error.problem.status === status && sentence.test(error.message);
    await assert.rejects(match(new Uint8Array([1, 2, 3])), is(415, /JPEG, PNG/));
    await assert.rejects(match(pictures[0], { collection: "none" }), is(404, /none/));
    await assert.rejects(stranger(pictures[0]), is(401, /not known/));
  } finally {
    await worker.stop();
  }
});

Deno.test("matches that a busy worker refuses are answered after the wait that it asks for", async () => {
  const worker = await startEnrolled({ TRIPTYCH_QUEUE: "0" });
  try {
    const { match } = createClient(worker.base, { key: "k" });
    // It keeps the worker busy for some milliseconds.
    const pixels = Uint8Array.from({ length: 500 * 800 * 3 }, (_, i) => Math.imul(i, 2654435761) >>> 20);
    const large = await encodePng(pixels, 500, 800, 3);
    const start = performance.now();
    const answers = await Promise.all(Array.from({ length: 4 }, () => match(large, { collection: "c" })));
    for (const { matches } of answers) assert.equal(matches.length, 3);
    const { body } = await clientOf(worker.base)("GET /metrics");
    const refused = Number(/count\{method="POST",route="\/match",status="503"\} (\d+)/.exec(body)?.[1] ?? 0);
    assert.ok(refused >= 1, "none was refused");
    assert.ok(performance.now() - start >= 1_000, "it did not wait");
  } finally {
    await worker.stop();
  }
});

Deno.test("an abort ends the waiting, and a worker that stays busy is not asked for ever", async () => {
  const { app } = newApp({ gallery: createMemoryGallery({ snapshot }), isDraining: () => true });
  let asked = 0;
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    asked++;
    return app.fetch(request);
  });
  try {
    const { match } = createClient(`http://127.0.0.1:${server.addr.port}`);
    const start = performance.now();
    await assert.rejects(match(pictures[0], { signal: AbortSignal.timeout(200) }), { name: "TimeoutError" });
    assert.ok(performance.now() - start < 900);
    assert.equal(asked, 1);
    await assert.rejects(match(pictures[0], { signal: AbortSignal.abort() }), { name: "AbortError" });
    assert.equal(asked, 1);
    await assert.rejects(
      match(pictures[0]),
      (error) => error instanceof ProblemError && error.problem.status === 503,
    );
    assert.equal(asked, 6);
  } finally {
    await server.shutdown();
  }
});

function versionOf(runtime: string): string | null {
  try {
    const { stdout } = new Deno.Command(runtime, { args: ["--version"] }).outputSync();
    return /\d+\.\d+\.\d+/.exec(new TextDecoder().decode(stdout))?.[0] ?? null;
  } catch {
    return null;
  }
}

globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
