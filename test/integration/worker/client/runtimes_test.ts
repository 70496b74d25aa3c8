import assert from "node:assert/strict";
import { createClient, ProblemError } from "../../../../worker/client.ts";
import type { Embedder } from "../../../../worker/embedder/embedder.ts";
import { clientOf, embedder, model, newApp } from "../client.ts";
import { startWorker } from "../process.ts";
import { picture, writeModel } from "../tiny_model.ts";

const folder = await Deno.makeTempDir({ prefix: "triptych-client-" });
const TRIPTYCH_MODEL = `${folder}/model`;
await writeModel(model, TRIPTYCH_MODEL);
const pictures = await Promise.all([0, 1, 2].map(picture));

/** A worker with the pictures enrolled in a collection `c`, each as a subject of its own. */
async function startEnrolled() {
  const worker = await startWorker({ TRIPTYCH_MODEL, TRIPTYCH_KEYS: "match+scores+enroll:k" });
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

Deno.test("a match that a busy worker refuses is sent again after the wait that it asks for", async () => {
  const begun = Promise.withResolvers<void>(), release = Promise.withResolvers<void>();
  const slow: Embedder = {
    async embed(pixels) {
      begun.resolve();
      await release.promise;
      return await embedder.embed(pixels);
    },
  };
  await withServer({ queue: 0, embedder: slow }, async (url, answers) => {
    const { match } = createClient(url);
    const first = match(pictures[0]);
    await begun.promise;
    const second = match(pictures[1]);
    while (answers.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    release.resolve();
    assert.deepEqual((await Promise.all([first, second])).map(({ decision }) => decision), ["no_match", "no_match"]);
    const [refused, , again] = answers;
    assert.deepEqual(answers.map(({ status }) => status), [503, 200, 200]);
    assert.ok(again.at - refused.at >= 1_000, "it did not wait");
  });
});

Deno.test("an abort ends the waiting, and a worker that stays busy is not asked for ever", async () => {
  await withServer({ state: () => "draining" }, async (url, answers) => {
    const { match } = createClient(url);
    const start = performance.now();
    await assert.rejects(match(pictures[0], { signal: AbortSignal.timeout(200) }), { name: "TimeoutError" });
    assert.ok(performance.now() - start < 900);
    assert.equal(answers.length, 1);
    await assert.rejects(match(pictures[0], { signal: AbortSignal.abort() }), { name: "AbortError" });
    assert.equal(answers.length, 1);
    await assert.rejects(
      match(pictures[0]),
      (error) => error instanceof ProblemError && error.problem.status === 503,
    );
    assert.equal(answers.length, 6);
  });
});

/** An app on a port of this process, and what it has answered when. */
async function withServer(
  deps: Parameters<typeof newApp>[0],
  use: (url: string, answers: { status: number; at: number }[]) => Promise<void>,
): Promise<void> {
  const { app } = newApp(deps);
  const answers: { status: number; at: number }[] = [];
  const stop = new AbortController();
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", signal: stop.signal, onListen() {} }, async (request) => {
    const answer = await app.fetch(request);
    answers.push({ status: answer.status, at: performance.now() });
    return answer;
  });
  try {
    await use(`http://127.0.0.1:${server.addr.port}`, answers);
  } finally {
    stop.abort();
    await server.finished;
  }
}

function versionOf(runtime: string): string | null {
  try {
    const { stdout } = new Deno.Command(runtime, { args: ["--version"] }).outputSync();
    return /\d+\.\d+\.\d+/.exec(new TextDecoder().decode(stdout))?.[0] ?? null;
  } catch {
    return null;
  }
}

globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
